import { contactName } from '../contacts/present.ts'
import type { Db } from '../db/client.ts'
import { attachHeldMessages } from '../messages/attach-held.ts'
import type { CreatedRoom } from './plan.ts'

/**
 * Creates contact, WABA mapping and chatroom for customers nobody in the CRM knows (`unknown_sender = create`),
 * and attaches what was held for them. The contact is named `wa:<wa_id or BSUID>`; a customer who writes to a
 * second number gets a second contact, `wa:<id>:<number>`, since a contact has one number.
 */
export async function createRooms(tx: Db, created: CreatedRoom[]): Promise<void> {
  const taken = await readTakenCrmIds(tx, created)
  const named = created.map((c) => {
    const base = `wa:${c.message.sender.waId ?? c.message.sender.userId ?? c.message.sender.parentUserId}`
    const crmId = [base, `${base}:${c.phoneId}`].find((id) => !taken.has(`${c.orgId}\n${id}`))
    const chosen = crmId ?? `${base}:${c.phoneId}:${c.room.contactId}`
    taken.add(`${c.orgId}\n${chosen}`)
    return { ...c, crmId: chosen, firstName: c.message.sender.profileName?.replaceAll('*', '').slice(0, 128) }
  })
  await insertContacts(tx, named)
  await insertRooms(tx, named)
  await attachHeldMessages(
    tx,
    created.map(({ orgId, room, customerId, phoneId }) => ({ orgId, id: room.id, customerId, phoneId })),
  )
}

type NamedRoom = CreatedRoom & { crmId: string; firstName: string | undefined }

async function readTakenCrmIds(tx: Db, created: CreatedRoom[]): Promise<Set<string>> {
  const bases = created.map(
    (c) => c.message.sender.waId ?? c.message.sender.userId ?? c.message.sender.parentUserId,
  )
  const ids = created.flatMap((c, i) => [
    [c.orgId, `wa:${bases[i]}`],
    [c.orgId, `wa:${bases[i]}:${c.phoneId}`],
  ])
  const { rows } = await tx.$client.query<{ org_id: string; crm_id: string }>({
    name: 'read-taken-crm-ids',
    text: `select c.org_id, c.crm_id from unnest($1::text[], $2::text[]) as k(org_id, crm_id)
      join contacts c on c.org_id = k.org_id and c.crm_id = k.crm_id`,
    values: [ids.map((k) => k[0]), ids.map((k) => k[1])],
  })
  return new Set(rows.map((r) => `${r.org_id}\n${r.crm_id}`))
}

async function insertContacts(tx: Db, rooms: NamedRoom[]): Promise<void> {
  await tx.$client.query({
    name: 'insert-inbound-contacts',
    text: `with contact as (
        insert into contacts (org_id, id, customer_id, crm_id, phone, first_name, is_inbound, created_at)
        select org_id, id, customer_id, crm_id, phone, first_name, true, created_at
        from unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
          as c(org_id, id, customer_id, crm_id, phone, first_name, created_at))
      insert into contact_wabas (org_id, contact_id, waba_phone_id)
      select * from unnest($1::text[], $2::uuid[], $8::text[])`,
    values: [
      rooms.map((r) => r.orgId),
      rooms.map((r) => r.room.contactId),
      rooms.map((r) => r.customerId),
      rooms.map((r) => r.crmId),
      rooms.map((r) => phoneOf(r.message.sender.waId)),
      rooms.map((r) => r.firstName ?? null),
      rooms.map((r) => r.room.createdAt),
      rooms.map((r) => r.phoneId),
    ],
  })
}

async function insertRooms(tx: Db, rooms: NamedRoom[]): Promise<void> {
  await tx.$client.query({
    name: 'insert-inbound-rooms',
    text: `insert into chatrooms (org_id, id, contact_id, customer_id, waba_phone_id, display_name, history_visible,
        created_at, activated_at, last_inbound_at)
      select r.org_id, r.id, r.contact_id, r.customer_id, r.phone_id, r.display_name, o.room_history_visible,
        r.created_at, r.created_at, r.last_inbound_at
      from unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::timestamptz[],
        $8::timestamptz[]) as r(org_id, id, contact_id, customer_id, phone_id, display_name, created_at, last_inbound_at)
      join orgs o on o.id = r.org_id`,
    values: [
      rooms.map((r) => r.orgId),
      rooms.map((r) => r.room.id),
      rooms.map((r) => r.room.contactId),
      rooms.map((r) => r.customerId),
      rooms.map((r) => r.phoneId),
      rooms.map((r) => contactName({ crmId: r.crmId, firstName: r.firstName ?? null, lastName: null })),
      rooms.map((r) => r.room.createdAt),
      rooms.map((r) => r.room.lastInboundAt),
    ],
  })
}

/** A `wa_id` is usually, not always, E.164 without its plus; only what has that form is shown as a phone. */
function phoneOf(waId: string | undefined): string | null {
  return waId && /^[1-9][0-9]{6,14}$/.test(waId) ? `+${waId}` : null
}
