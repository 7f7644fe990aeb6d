import { recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'

type Assignment = {
  orgId: string
  room: {
    id: string
    contactId: string
    customerId: string
    historyVisible: boolean
    userIds: string[]
    pendingUserId: string | null
  }
  userId: string
  /** True: only when the customer writes next (routing hands over then). */
  onHandover: boolean
  actor: string
  now: Date
}

/**
 * Gives a chatroom to a user alone: all others lose it, and a handover that waited is off. A new user sees what
 * was before only where the chatroom's history is visible; one who had it already keeps what he saw (spec:
 * reassignChatroomV3). On handover nobody loses it yet. The customer must be locked.
 */
export async function assignUser(tx: Db, assignment: Assignment): Promise<void> {
  const { orgId, room, userId, onHandover, actor, now } = assignment
  if (onHandover) await setPending(tx, orgId, room.id, userId)
  else await setMember(tx, orgId, room.id, userId, room.historyVisible ? null : now)
  const before = { user_ids: room.userIds, pending_user_id: room.pendingUserId }
  await recordEvents(tx, [
    {
      orgId,
      kind: onHandover ? 'chatroom.handover_set' : 'chatroom.assigned',
      actor,
      reason: 'asked for',
      customerId: room.customerId,
      contactId: room.contactId,
      chatroomId: room.id,
      before,
      after: onHandover
        ? { ...before, pending_user_id: userId }
        : { user_ids: [userId], pending_user_id: null },
    },
  ])
}

async function setPending(tx: Db, orgId: string, chatroomId: string, userId: string): Promise<void> {
  await tx.$client.query({
    name: 'set-pending-user',
    text: 'update chatrooms set pending_user_id = $3 where org_id = $1 and id = $2',
    values: [orgId, chatroomId, userId],
  })
}

/** Meta's times are whole seconds: a message of the very second of the assignment is the new user's. */
async function setMember(
  tx: Db,
  orgId: string,
  chatroomId: string,
  userId: string,
  visibleFrom: Date | null,
): Promise<void> {
  await tx.$client.query({
    name: 'set-chatroom-member',
    text: `with revoked as (
        delete from chatroom_members where org_id = $1 and chatroom_id = $2 and user_id <> $3),
      settled as (
        update chatrooms set pending_user_id = null
        where org_id = $1 and id = $2 and pending_user_id is not null)
      insert into chatroom_members (org_id, chatroom_id, user_id, visible_from)
      values ($1, $2, $3, date_trunc('second', $4::timestamptz)) on conflict do nothing`,
    values: [orgId, chatroomId, userId, visibleFrom],
  })
}
