import type { Db } from '../db/client.ts'
import { inTransaction } from '../db/transaction.ts'
import { ApiError } from '../errors.ts'
import type { LifecycleOrg } from './apply-overdue.ts'
import { type DeactivationReason, deactivateRooms } from './deactivate-rooms.ts'
import { lockChatroom } from './lock-chatroom.ts'

/** What somebody who deactivates without saying why means: it is their will, not the lead's or a threshold's. */
const UNSAID = 'FORCE_DEACTIVATE'

type Request = {
  org: LifecycleOrg
  chatroomId: string
  reason: DeactivationReason | undefined
  actor: string
  now: Date
}

/**
 * Deactivates a chatroom (spec: deactivateContactChatroom); one that is deactivated already stays as it is.
 * @throws ApiError UNKNOWN_CHATROOM, CHATROOM_IS_EXPIRED
 */
export async function deactivateChatroom(
  db: Db,
  { org, chatroomId, reason = UNSAID, actor, now }: Request,
): Promise<void> {
  await inTransaction(db, async (tx) => {
    const room = await lockChatroom(tx, org, chatroomId, now)
    if (!room) throw new ApiError('UNKNOWN_CHATROOM')
    if (room.state === 'expired') throw new ApiError('CHATROOM_IS_EXPIRED')
    if (room.state === 'deactivated') return
    const { customerId } = room
    await deactivateRooms(tx, { orgId: org.id, customerId, rooms: [room], reason, actor, now })
  })
}
