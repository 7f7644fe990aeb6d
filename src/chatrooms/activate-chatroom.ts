import { ASKED_FOR, insertEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { nothing, type Statement, send } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { deactivateRooms } from './deactivate-rooms.ts'
import { type LockedChatroom, lockChatroom } from './lock-chatroom.ts'
import { refusingSecondActive } from './one-active.ts'
import type { LifecycleOrg } from './standing-rooms.ts'

type Request = {
  org: LifecycleOrg
  chatroomId: string
  forceDeactivate: boolean
  actor: string
  now: Date
}

/**
 * Activates a deactivated chatroom (operation `activateContactChatroom`). An active one stays as it is, including its
 * timers. With `forceDeactivate` the customer's other active chatroom at that number is deactivated.
 * @throws ApiError UNKNOWN_CHATROOM, CHATROOM_IS_EXPIRED, OTHER_CHATROOM_IS_ACTIVE
 */
export async function activateChatroom(db: Db, request: Request): Promise<void> {
  await refusingSecondActive('OTHER_CHATROOM_IS_ACTIVE', () =>
    inRetriedTransaction(db, (tx) => activateLocked(tx, request)),
  )
}

async function activateLocked(tx: Db, request: Request): Promise<void> {
  const { org, chatroomId, forceDeactivate, actor, now } = request
  const room = await lockChatroom(tx, org, chatroomId, now)
  if (!room) throw new ApiError('UNKNOWN_CHATROOM')
  if (room.state === 'expired') throw new ApiError('CHATROOM_IS_EXPIRED')
  if (room.state === 'active') return
  const { customerId, rivals } = room
  const [rival] = rivals
  if (rival && !forceDeactivate) {
    throw new ApiError('OTHER_CHATROOM_IS_ACTIVE', undefined, { chatroom_id: rival.id })
  }
  const who = { orgId: org.id, customerId, actor, now }
  await send(tx, [
    ...deactivateRooms({ ...who, rooms: rivals, reason: 'FORCE_DEACTIVATE' }),
    ...activateRoom(org.id, room, actor, now),
  ])
}

function activateRoom(
  orgId: string,
  { id, contactId, customerId, deactivatedAt, deactivationReason }: LockedChatroom,
  actor: string,
  now: Date,
): Statement<void>[] {
  const update = {
    name: 'activate-room',
    text: `update chatrooms set activated_at = $3, deactivated_at = null, deactivation_reason = null
      where org_id = $1 and id = $2`,
    values: [orgId, id, now],
    read: nothing,
  }
  const activated = {
    ...{ orgId, customerId, contactId, chatroomId: id },
    kind: 'chatroom.activated' as const,
    actor,
    reason: ASKED_FOR,
    before: { state: 'deactivated', at: deactivatedAt, reason: deactivationReason },
    after: { state: 'active', at: now },
  }
  return [update, insertEvents([activated])]
}
