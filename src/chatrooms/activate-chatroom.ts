import { recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { inTransaction } from '../db/transaction.ts'
import { ApiError } from '../errors.ts'
import type { LifecycleOrg } from './apply-overdue.ts'
import { deactivateRooms } from './deactivate-rooms.ts'
import { type LockedChatroom, lockChatroom } from './lock-chatroom.ts'
import { refusingSecondActive } from './one-active.ts'

type Request = {
  org: LifecycleOrg
  chatroomId: string
  forceDeactivate: boolean
  actor: string
  now: Date
}

/**
 * Activates a deactivated chatroom (spec: activateContactChatroom); one that is active already stays as it is,
 * its timers too. With `forceDeactivate` the customer's other active chatroom at that number gives way.
 * @throws ApiError UNKNOWN_CHATROOM, CHATROOM_IS_EXPIRED, OTHER_CHATROOM_IS_ACTIVE
 */
export async function activateChatroom(db: Db, request: Request): Promise<void> {
  const { org, chatroomId, forceDeactivate, actor, now } = request
  await refusingSecondActive('OTHER_CHATROOM_IS_ACTIVE', () =>
    inTransaction(db, async (tx) => {
      const room = await lockChatroom(tx, org, chatroomId, now)
      if (!room) throw new ApiError('UNKNOWN_CHATROOM')
      if (room.state === 'expired') throw new ApiError('CHATROOM_IS_EXPIRED')
      if (room.state === 'active') return
      const { customerId, rivals } = room
      const [rival] = rivals
      if (rival && !forceDeactivate) {
        throw new ApiError('OTHER_CHATROOM_IS_ACTIVE', undefined, { chatroom_id: rival.id })
      }
      await deactivateRooms(tx, {
        orgId: org.id,
        customerId,
        rooms: rivals,
        reason: 'FORCE_DEACTIVATE',
        actor,
        now,
      })
      await activate(tx, org.id, room, { actor, now })
    }),
  )
}

async function activate(
  tx: Db,
  orgId: string,
  { id, contactId, customerId, deactivatedAt, deactivationReason }: LockedChatroom,
  { actor, now }: { actor: string; now: Date },
): Promise<void> {
  await tx.$client.query({
    name: 'activate-room',
    text: `update chatrooms set activated_at = $3, deactivated_at = null, deactivation_reason = null
      where org_id = $1 and id = $2`,
    values: [orgId, id, now],
  })
  await recordEvents(tx, [
    {
      orgId,
      kind: 'chatroom.activated',
      actor,
      reason: 'asked for',
      customerId,
      contactId,
      chatroomId: id,
      before: { state: 'deactivated', at: deactivatedAt, reason: deactivationReason },
      after: { state: 'active', at: now },
    },
  ])
}
