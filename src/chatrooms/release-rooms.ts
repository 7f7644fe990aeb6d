import { type AuditEvent, insertEvents } from '../audit/record-events.ts'
import { columns, uuid } from '../db/columns.ts'
import { allRows, nothing, over, type Statement } from '../db/statement.ts'
import type { AssignableRoom } from './assign-user.ts'

/** A user of an org who was removed. */
export type Leaver = { orgId: string; userId: string }

/** Chatrooms that are released in one transaction. */
const BATCH = 100

/** The removed users who may still have chatrooms. */
export function readLeavers(): Statement<Leaver[]> {
  return {
    name: 'read-leavers',
    text: `select org_id as "orgId", id as "userId" from users
      where removed_at is not null and released_at is null order by org_id, id`,
    values: [],
    read: allRows<Leaver>,
  }
}

/** Up to 100 chatrooms of a leaver; only those of these customers, if they are given. */
export function readLeftRooms(
  { orgId, userId }: Leaver,
  customerIds?: string[],
): Statement<AssignableRoom[]> {
  return {
    name: 'read-left-rooms',
    text: `select r.id, r.contact_id as "contactId", r.customer_id as "customerId",
        r.history_visible as "historyVisible", r.pending_user_id as "pendingUserId",
        array(select m.user_id from chatroom_members m where m.org_id = r.org_id and m.chatroom_id = r.id
          order by m.created_at, m.user_id) as "userIds"
      from (
        (select chatroom_id as id from chatroom_members where org_id = $1 and user_id = $2 limit ${BATCH})
        union
        (select id from chatrooms where org_id = $1 and pending_user_id = $2 limit ${BATCH})) k
      cross join lateral (
        select * from chatrooms r where r.org_id = $1 and r.id = k.id offset 0) r
      where $3::uuid[] is null or r.customer_id = any($3::uuid[])
      order by r.id`,
    values: [orgId, userId, customerIds],
    read: allRows<AssignableRoom>,
  }
}

const ROOMS = columns<AssignableRoom>({ id: uuid((r) => r.id) })

/** Takes the chatrooms from a leaver and cancels the handovers to the leaver, with the audit. */
export function leaveRooms(leaver: Leaver, rooms: AssignableRoom[], actor: string): Statement<void>[] {
  const revoke = over(ROOMS, rooms, {
    name: 'leave-chatrooms',
    text: `with k as materialized (select * from ${ROOMS.as('k')}),
      revoked as (
        delete from chatroom_members m using k
        where m.org_id = $2 and m.chatroom_id = k.id and m.user_id = $3)
      update chatrooms r set pending_user_id = null from k
      where r.org_id = $2 and r.id = k.id and r.pending_user_id = $3`,
    values: [leaver.orgId, leaver.userId],
    read: nothing,
  })
  return [revoke, insertEvents(rooms.flatMap((room) => eventsOf(leaver, room, actor)))]
}

function eventsOf({ orgId, userId }: Leaver, room: AssignableRoom, actor: string): AuditEvent[] {
  const before = { user_ids: room.userIds, pending_user_id: room.pendingUserId }
  const after = afterLeaving(room, userId)
  const event = {
    ...{ orgId, customerId: room.customerId, contactId: room.contactId, chatroomId: room.id },
    ...{ actor, reason: reasonOf(userId), before, after },
  }
  return [
    ...(room.userIds.includes(userId) ? [{ ...event, kind: 'chatroom.unassigned' as const }] : []),
    ...(room.pendingUserId === userId ? [{ ...event, kind: 'chatroom.handover_cancelled' as const }] : []),
  ]
}

/** The users of a chatroom without the leaver. */
export function afterLeaving({ userIds, pendingUserId }: AssignableRoom, userId: string) {
  return {
    user_ids: userIds.filter((id) => id !== userId),
    pending_user_id: pendingUserId === userId ? null : pendingUserId,
  }
}

/** The reason in the audit. */
export const reasonOf = (userId: string) => `the user ${userId} was removed`

/** Adds to the number of chatrooms that the console shows beside the leaver. */
export function countReleased({ orgId, userId }: Leaver, rooms: number): Statement<void> {
  return {
    name: 'count-released',
    text: `update users set released_chatrooms = released_chatrooms + $3
      where org_id = $1 and id = $2 and removed_at is not null`,
    values: [orgId, userId, rooms],
    read: nothing,
  }
}

/** Remembers that a leaver has no chatroom any more. Assignments that are under way hold the row, and are waited for. */
export function markReleased({ orgId, userId }: Leaver): Statement<void>[] {
  const lock = {
    name: 'lock-leaver',
    text: 'select 1 from users where org_id = $1 and id = $2 for update',
    values: [orgId, userId],
    read: nothing,
  }
  const mark = {
    name: 'mark-released',
    text: `update users set released_at = now()
      where org_id = $1 and id = $2 and removed_at is not null
        and not exists (select from chatroom_members where org_id = $1 and user_id = $2)
        and not exists (select from chatrooms where org_id = $1 and pending_user_id = $2)`,
    values: [orgId, userId],
    read: nothing,
  }
  return [lock, mark]
}
