import { ASKED_FOR, insertEvents } from '../audit/record-events.ts'
import { nothing, type Statement } from '../db/statement.ts'

/** A chatroom with the users who have it, and the user who is to get it by a pending handover. */
export type AssignableRoom = {
  id: string
  contactId: string
  customerId: string
  historyVisible: boolean
  userIds: string[]
  pendingUserId: string | null
}

type Assignment = {
  orgId: string
  room: AssignableRoom
  userId: string
  /** True: the user gets the chatroom when the customer writes next; routing makes the handover. */
  onHandover: boolean
  actor: string
  /** Default: somebody asked for it. */
  reason?: string
  now: Date
}

/**
 * Gives a chatroom to one user, with the audit (docs/rules.md#assigning-a-chatroom): all other users lose it, and a
 * pending handover is cancelled. A new user sees older messages only if the chatroom's history is visible; a user who
 * had the chatroom keeps what he saw. On handover no user loses it yet. The customer must be locked.
 */
export function assignUser(assignment: Assignment): Statement<void>[] {
  const { orgId, room, userId, onHandover, actor, reason = ASKED_FOR, now } = assignment
  const before = { user_ids: room.userIds, pending_user_id: room.pendingUserId }
  const event = {
    ...{ orgId, customerId: room.customerId, contactId: room.contactId, chatroomId: room.id },
    kind: onHandover ? ('chatroom.handover_set' as const) : ('chatroom.assigned' as const),
    actor,
    reason,
    before,
    after: onHandover
      ? { ...before, pending_user_id: userId }
      : { user_ids: [userId], pending_user_id: null },
  }
  const visibleFrom = room.historyVisible ? null : now
  const write = onHandover
    ? setPending(orgId, room.id, userId)
    : setMember(orgId, room.id, userId, visibleFrom)
  return [write, insertEvents([event])]
}

function setPending(orgId: string, chatroomId: string, userId: string): Statement<void> {
  return {
    name: 'set-pending-user',
    text: 'update chatrooms set pending_user_id = $3 where org_id = $1 and id = $2',
    values: [orgId, chatroomId, userId],
    read: nothing,
  }
}

/** Meta's times are whole seconds, so a message of the second of the assignment belongs to the new user. */
function setMember(
  orgId: string,
  chatroomId: string,
  userId: string,
  visibleFrom: Date | null,
): Statement<void> {
  return {
    name: 'set-chatroom-member',
    text: `with revoked as (
        delete from chatroom_members where org_id = $1 and chatroom_id = $2 and user_id <> $3),
      cancelled as (
        update chatrooms set pending_user_id = null
        where org_id = $1 and id = $2 and pending_user_id is not null)
      insert into chatroom_members (org_id, chatroom_id, user_id, visible_from)
      values ($1, $2, $3, date_trunc('second', $4::timestamptz)) on conflict do nothing`,
    values: [orgId, chatroomId, userId, visibleFrom],
    read: nothing,
  }
}
