import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { send } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { type DeactivationReason, deactivateRooms } from './deactivate-rooms.ts'
import { lockChatroom } from './lock-chatroom.ts'
import type { LifecycleOrg } from './standing-rooms.ts'

/** A caller who gives no reason decides so himself: it is neither the customer's wish nor inactivity. */
const DEFAULT_REASON = 'FORCE_DEACTIVATE'

type Request = {
  org: LifecycleOrg
  chatroomId: string
  reason: DeactivationReason | undefined
  actor: string
  now: Date
}

/**
 * Deactivates a chatroom (operation `deactivateContactChatroom`). A deactivated one stays as it is.
 * @throws ApiError UNKNOWN_CHATROOM, CHATROOM_IS_EXPIRED
 */
export async function deactivateChatroom(
  db: Db,
  { org, chatroomId, reason = DEFAULT_REASON, actor, now }: Request,
): Promise<void> {
  await inRetriedTransaction(db, async (tx) => {
    const room = await lockChatroom(tx, org, chatroomId, now)
    if (!room) throw new ApiError('UNKNOWN_CHATROOM')
    if (room.state === 'expired') throw new ApiError('CHATROOM_IS_EXPIRED')
    if (room.state === 'deactivated') return
    const { customerId } = room
    await send(tx, deactivateRooms({ orgId: org.id, customerId, rooms: [room], reason, actor, now }))
  })
}
