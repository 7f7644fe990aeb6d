import { sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { ASKED_FOR, recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { chatrooms, contacts, contactWabas } from '../db/schema/index.ts'
import { allRows, rowCount, run, type Statement } from '../db/statement.ts'
import { logEvents } from '../event-log/log-events.ts'
import { lockCustomers } from '../identity/lock-customers.ts'
import { personOfPhone } from '../identity/person.ts'
import { resolveCustomers } from '../identity/resolve-customers.ts'
import { attachHeldMessages } from '../messages/attach-held.ts'
import { readNumbers } from './move-number.ts'
import { ProvisionError } from './provision-error.ts'
import type { WantedAffiliate } from './provision-parts.ts'

/**
 * Creates affiliates (partners, back office): each phone has exactly one contact and one chatroom. The only contact of a
 * phone, if it has the affiliate's `crm_id`, becomes the affiliate.
 * @throws ProvisionError when an affiliate's phone already has another contact, the `crm_id` is that of another phone, or
 * there is no such number
 */
export async function provisionAffiliates(
  tx: Db,
  orgId: string,
  affiliates: WantedAffiliate[],
  actor: string,
): Promise<void> {
  const ids = affiliates.map((affiliate) => affiliate.remote_phone_id)
  const numbers = await run(tx, readNumbers(orgId, ids))
  const people = affiliates.map(({ phone }) => personOfPhone(orgId, phone))
  const customerIds = (await resolveCustomers(tx, people)).filter((id) => id !== undefined)
  await run(tx, lockCustomers(customerIds.map((id) => ({ orgId, id }))))
  for (const [i, affiliate] of affiliates.entries()) {
    const customerId = customerIds[i]
    if (!customerId) throw new Error('an affiliate has no customer')
    const number = numbers.get(affiliate.remote_phone_id)
    if (!number)
      throw new ProvisionError(
        'WABA_PHONE_NOT_FOUND',
        `affiliate ${affiliate.crm_id} names an unknown number`,
      )
    await provisionAffiliate(tx, { orgId, customerId, phoneId: number.phoneId, affiliate, actor })
  }
}

type Placed = {
  orgId: string
  customerId: string
  phoneId: string
  affiliate: WantedAffiliate
  actor: string
}

async function provisionAffiliate(tx: Db, placed: Placed): Promise<void> {
  const { orgId, customerId, affiliate, actor } = placed
  const existing = await run(tx, readContacts(orgId, customerId, affiliate.crm_id))
  const other = existing.find((contact) => contact.crmId !== affiliate.crm_id)
  if (other)
    throw new ProvisionError(
      'UQ_CONSTRAINT_FAILED',
      `affiliate ${affiliate.crm_id}: its phone already has another contact`,
    )
  const contact = existing.find((one) => one.customerId === customerId)
  if (existing.length > 0 && !contact)
    throw new ProvisionError(
      'UQ_CONSTRAINT_FAILED',
      `affiliate ${affiliate.crm_id}: another phone has the contact with this crm_id`,
    )
  if (!contact) return createAffiliate(tx, placed)
  if ((await run(tx, markAffiliate(orgId, contact.id))) === 0) return
  const event = { kind: 'affiliate.created' as const, actor, reason: ASKED_FOR, contactId: contact.id }
  await recordEvents(tx, [{ orgId, customerId, ...event, after: { crm_id: affiliate.crm_id } }])
}

type Contact = { id: string; crmId: string; customerId: string }

/** The contacts of a customer, and the one with that `crm_id`. */
function readContacts(orgId: string, customerId: string, crmId: string): Statement<Contact[]> {
  return {
    text: `select id, crm_id as "crmId", customer_id as "customerId" from contacts
        where org_id = $1 and customer_id = $2
      union select id, crm_id, customer_id from contacts where org_id = $1 and crm_id = $3`,
    values: [orgId, customerId, crmId],
    read: allRows<Contact>,
  }
}

function markAffiliate(orgId: string, contactId: string): Statement<number> {
  return {
    text: 'update contacts set is_affiliate = true where org_id = $1 and id = $2 and not is_affiliate',
    values: [orgId, contactId],
    read: rowCount,
  }
}

async function createAffiliate(
  tx: Db,
  { orgId, customerId, phoneId: wabaPhoneId, affiliate, actor }: Placed,
): Promise<void> {
  const [contactId, id] = [uuidv7(), uuidv7()]
  const { crm_id: crmId, phone } = affiliate
  await tx.insert(contacts).values({ orgId, id: contactId, customerId, crmId, phone, isAffiliate: true })
  await tx.insert(contactWabas).values({ orgId, contactId, wabaPhoneId })
  const historyVisible = sql<boolean>`(select room_history_visible from orgs where id = ${orgId})`
  await tx
    .insert(chatrooms)
    .values({ orgId, id, contactId, customerId, wabaPhoneId, displayName: crmId, historyVisible })
  const attached = await run(tx, attachHeldMessages([{ orgId, id, customerId, phoneId: wabaPhoneId }]))
  const event = { orgId, actor, customerId, contactId }
  await recordEvents(tx, [
    { ...event, kind: 'affiliate.created', reason: ASKED_FOR, after: { crm_id: crmId } },
    { ...event, kind: 'chatroom.created', chatroomId: id, after: { state: 'active' } },
  ])
  await run(tx, logEvents(attached))
}
