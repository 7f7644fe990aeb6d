import type { AuditEvent } from '../audit/record-events.ts'
import { columns, text, timestamptz, uuid } from '../db/columns.ts'
import { over, type Statement } from '../db/statement.ts'
import type { WrittenRoom } from './update-rooms.ts'

const CONTACTS = columns<WrittenRoom>({
  org_id: text((r) => r.orgId),
  id: uuid((r) => r.room.contactId),
  expired_at: timestamptz((r) => r.room.expiredAt),
})

type ExpiredRow = {
  orgId: string
  contactId: string
  chatroomId: string | null
  customerId: string
  expiredAt: Date
}

/**
 * Expires the contacts of those chatrooms that are expired, with all their other chatrooms: a contact expires whole.
 * @returns the audit of these contacts and other chatrooms
 */
export function expireContactsOf(rooms: WrittenRoom[], actor: string): Statement<AuditEvent[]> {
  const expired = rooms.filter(({ room }) => room.state === 'expired')
  return over(CONTACTS, expired, {
    name: 'expire-contacts-of-rooms',
    text: `with contact as (
        update contacts c set expired_at = u.expired_at from ${CONTACTS.as('u')}
        where c.org_id = u.org_id and c.id = u.id and c.expired_at is null
        returning c.org_id, c.id, c.customer_id, c.expired_at),
      room as (
        update chatrooms r set expired_at = contact.expired_at from contact
        where r.org_id = contact.org_id and r.contact_id = contact.id and r.expired_at is null
        returning r.org_id, r.contact_id, r.id, r.customer_id, r.expired_at)
      select org_id as "orgId", id as "contactId", null::uuid as "chatroomId", customer_id as "customerId",
        expired_at as "expiredAt" from contact
      union all select org_id, contact_id, id, customer_id, expired_at from room`,
    read: (rows: ExpiredRow[]) => rows.map((row) => expiryEvent(row, actor)),
  })
}

function expiryEvent({ chatroomId, expiredAt, ...ids }: ExpiredRow, actor: string): AuditEvent {
  return {
    ...ids,
    kind: chatroomId ? 'chatroom.expired' : 'contact.expired',
    actor,
    reason: 'a contact expires whole',
    ...(chatroomId && { chatroomId }),
    after: { state: 'expired', at: expiredAt },
  }
}
