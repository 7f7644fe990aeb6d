import { columns, text, timestamptz, uuid } from '../db/columns.ts'
import { nothing, over, type Statement } from '../db/statement.ts'
import type { LoggedEvent } from '../event-log/log-events.ts'
import { attachHeldMessages } from '../messages/attach-held.ts'
import type { CreatedRoom } from './planned.ts'

/**
 * Creates contact, WABA mapping and chatroom of customers whom the CRM does not know (`unknown_sender = create`), and
 * attaches the messages that were held for them; the third statement gives the events of these.
 */
export function createRooms(
  created: CreatedRoom[],
): [Statement<void>, Statement<void>, Statement<LoggedEvent[]>] {
  const rooms = created.map(({ room, ...of }) => ({ ...of, id: room.id }))
  return [insertContacts(created), insertRooms(created), attachHeldMessages(rooms)]
}

const CONTACTS = columns<CreatedRoom>({
  org_id: text((c) => c.orgId),
  id: uuid((c) => c.room.contactId),
  customer_id: uuid((c) => c.customerId),
  phone_id: text((c) => c.phoneId),
  name: text((c) => nameOf(c)),
  phone: text((c) => phoneOf(c.message.sender.waId)),
  first_name: text((c) => c.message.sender.profileName?.replaceAll('*', '').slice(0, 128)),
  created_at: timestamptz((c) => c.room.createdAt),
})

/**
 * A contact's `crm_id` is `wa:<wa_id or BSUID>`. A contact has one number, so a customer who writes to a second number
 * gets a second contact, `wa:<id>:<number>`; where that is taken too, the contact's own id completes it.
 */
function insertContacts(created: CreatedRoom[]): Statement<void> {
  return over(CONTACTS, created, {
    name: 'insert-inbound-contacts',
    text: `with choice as materialized (
        select n.*, 'wa:' || n.name as first, 'wa:' || n.name || ':' || n.phone_id as second,
          row_number() over (partition by n.org_id, n.name order by n.place) as turn,
          row_number() over (partition by n.org_id, n.name, n.phone_id order by n.place) as turn_at_number
        from ${CONTACTS.as('n', { ordinality: 'place' })}),
      named as materialized (
        select n.*, case
            when turn = 1 and not exists (
              select from contacts c where c.org_id = n.org_id and c.crm_id = n.first) then n.first
            when turn_at_number = 1 and not exists (
              select from contacts c where c.org_id = n.org_id and c.crm_id = n.second) then n.second
            else n.second || ':' || n.id end as crm_id
        from choice n),
      contact as (
        insert into contacts (org_id, id, customer_id, crm_id, phone, first_name, is_inbound, created_at)
        select org_id, id, customer_id, crm_id, phone, first_name, true, created_at from named)
      insert into contact_wabas (org_id, contact_id, waba_phone_id) select org_id, id, phone_id from named`,
    read: nothing,
  })
}

const ROOMS = columns<CreatedRoom>({
  org_id: text((c) => c.orgId),
  id: uuid((c) => c.room.id),
  contact_id: uuid((c) => c.room.contactId),
  phone_id: text((c) => c.phoneId),
  created_at: timestamptz((c) => c.room.createdAt),
  last_inbound_at: timestamptz((c) => c.room.lastInboundAt),
})

/** The display name is that of `contactName`: CRM id and first name. */
function insertRooms(created: CreatedRoom[]): Statement<void> {
  return over(ROOMS, created, {
    name: 'insert-inbound-rooms',
    text: `insert into chatrooms (org_id, id, contact_id, customer_id, waba_phone_id, display_name, history_visible,
        created_at, activated_at, last_inbound_at)
      select r.org_id, r.id, c.id, c.customer_id, r.phone_id, concat_ws(' ', c.crm_id, nullif(c.first_name, '')),
        o.room_history_visible, r.created_at, r.created_at, r.last_inbound_at
      from ${ROOMS.as('r')}
      join contacts c on c.org_id = r.org_id and c.id = r.contact_id
      join orgs o on o.id = r.org_id`,
    read: nothing,
  })
}

function nameOf({ message: { sender } }: CreatedRoom): string | undefined {
  return sender.waId ?? sender.userId ?? sender.parentUserId
}

/** A `wa_id` is usually, not always, E.164 without its plus; only a `wa_id` of that form is kept as a phone. */
function phoneOf(waId: string | undefined): string | null {
  return waId && /^[1-9][0-9]{6,14}$/.test(waId) ? `+${waId}` : null
}
