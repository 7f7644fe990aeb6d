import type { AuditEvent } from '../audit/record-events.ts'
import { textArray, timestamptzArray, uuidArray } from '../db/arrays.ts'
import type { Db } from '../db/client.ts'
import { INACTIVITY_REASON } from '../rules/lifecycle.ts'
import type { Room } from '../rules/room.ts'

/** A chatroom as it is to be written. */
export type WrittenRoom = { orgId: string; room: Room }

/**
 * Writes when customers were last heard, for the chatrooms that change in nothing else: no index has these columns,
 * no trigger looks at them (HOT). Measured, half the time of `updateRooms`, and it is the write of nearly every message.
 */
export async function updateHeardRooms(tx: Db, rooms: WrittenRoom[]): Promise<void> {
  await tx.$client.query({
    name: 'update-heard-rooms',
    text: `update chatrooms r set last_inbound_at = u.last_inbound_at, last_auto_reply_at = u.last_auto_reply_at
      from unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::timestamptz[])
        as u(org_id, id, last_inbound_at, last_auto_reply_at)
      where r.org_id = u.org_id and r.id = u.id`,
    values: [
      textArray(rooms.map((r) => r.orgId)),
      uuidArray(rooms.map((r) => r.room.id)),
      timestamptzArray(rooms.map((r) => r.room.lastInboundAt)),
      timestamptzArray(rooms.map((r) => r.room.lastAutoReplyAt)),
    ],
  })
}

/**
 * Writes chatrooms as they are after a batch. An expired one's contact expires with it, and takes its other
 * chatrooms along, since a contact expires whole: of those, the events are returned.
 */
export async function updateRooms(tx: Db, rooms: WrittenRoom[], actor: string): Promise<AuditEvent[]> {
  await tx.$client.query({
    name: 'update-rooms',
    text: `update chatrooms r set activated_at = u.activated_at, last_inbound_at = u.last_inbound_at,
        last_auto_reply_at = u.last_auto_reply_at, deactivated_at = u.deactivated_at,
        expired_at = u.expired_at, pending_user_id = u.pending_user_id,
        deactivation_reason = case when u.deactivated_at is null then null
          when r.deactivated_at is null then '${INACTIVITY_REASON}' else r.deactivation_reason end
      from unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[],
        $6::timestamptz[], $7::text[], $8::timestamptz[])
        as u(org_id, id, activated_at, last_inbound_at, deactivated_at, expired_at, pending_user_id,
          last_auto_reply_at)
      where r.org_id = u.org_id and r.id = u.id`,
    values: [
      textArray(rooms.map((r) => r.orgId)),
      uuidArray(rooms.map((r) => r.room.id)),
      timestamptzArray(rooms.map((r) => r.room.activatedAt)),
      timestamptzArray(rooms.map((r) => r.room.lastInboundAt)),
      timestamptzArray(rooms.map((r) => r.room.deactivatedAt)),
      timestamptzArray(rooms.map((r) => r.room.expiredAt)),
      textArray(rooms.map((r) => r.room.pendingUserId)),
      timestamptzArray(rooms.map((r) => r.room.lastAutoReplyAt)),
    ],
  })
  const expired = rooms.filter((r) => r.room.state === 'expired')
  return expired.length > 0 ? expireContacts(tx, expired, actor) : []
}

async function expireContacts(tx: Db, rooms: WrittenRoom[], actor: string): Promise<AuditEvent[]> {
  const { rows } = await tx.$client.query<ExpiredRow>({
    name: 'expire-contacts-of-rooms',
    text: `with contact as (
        update contacts c set expired_at = u.expired_at
        from unnest($1::text[], $2::uuid[], $3::timestamptz[]) as u(org_id, id, expired_at)
        where c.org_id = u.org_id and c.id = u.id and c.expired_at is null
        returning c.org_id, c.id, c.customer_id, c.expired_at),
      room as (
        update chatrooms r set expired_at = contact.expired_at from contact
        where r.org_id = contact.org_id and r.contact_id = contact.id and r.expired_at is null
        returning r.org_id, r.contact_id, r.id, r.customer_id, r.expired_at)
      select org_id, id as contact_id, null::uuid as chatroom_id, customer_id, expired_at from contact
      union all select org_id, contact_id, id, customer_id, expired_at from room`,
    values: [
      textArray(rooms.map((r) => r.orgId)),
      uuidArray(rooms.map((r) => r.room.contactId)),
      timestamptzArray(rooms.map((r) => r.room.expiredAt)),
    ],
  })
  return rows.map((r) => ({
    orgId: r.org_id,
    kind: r.chatroom_id ? 'chatroom.expired' : 'contact.expired',
    actor,
    reason: 'a contact expires whole',
    customerId: r.customer_id,
    contactId: r.contact_id,
    ...(r.chatroom_id && { chatroomId: r.chatroom_id }),
    after: { state: 'expired', at: r.expired_at },
  }))
}

type ExpiredRow = {
  org_id: string
  contact_id: string
  chatroom_id: string | null
  customer_id: string
  expired_at: Date
}
