import { and, eq } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { violatedConstraint } from '../db/pg-errors.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { contacts } from '../db/schema/index.ts'
import { run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { partsToE164 } from '../identity/e164.ts'
import { lockCustomers } from '../identity/lock-customers.ts'
import { personOfPhone } from '../identity/person.ts'
import { resolveCustomer } from '../identity/resolve-customers.ts'
import type { Contact } from './present.ts'
import type { ContactReq } from './schemas.ts'

export type NewContact = { orgId: string; contact: ContactReq; actor: string; now: Date }

/**
 * Creates a contact, also for a phone number that has contacts already (operation `registerContactV2`,
 * docs/rules.md#several-contacts-for-a-phone). An affiliate's number has one contact, even after that has expired.
 * @throws ApiError INVALID_PHONE_NUMBER, AFFILIATE_PHONE, or UQ_CONSTRAINT_FAILED when another contact of the org has the crm_id
 */
export async function createContact(db: Db, { orgId, contact, actor, now }: NewContact): Promise<Contact> {
  const read = partsToE164(contact.phone_number)
  if ('fault' in read) throw new ApiError('INVALID_PHONE_NUMBER', read.fault)
  const { phone } = read
  return inRetriedTransaction(db, async (tx) => {
    const customerId = await lockOwner(tx, orgId, phone)
    await refuseAffiliate(tx, orgId, customerId)
    const created = await insertContact(tx, {
      orgId,
      id: uuidv7(),
      customerId,
      crmId: contact.crm_id,
      phone,
      firstName: contact.first_name,
      lastName: contact.last_name,
      optInDate: contact.opt_in_date,
      governanceLevelId: contact.governance_level_id,
      isInbound: contact.is_inbound,
      source: contact.source,
      createdAt: now,
    })
    const { phone_number: _, ...after } = contact
    await recordEvents(tx, [
      { orgId, kind: 'contact.created', actor, customerId, contactId: created.id, after },
    ])
    return created
  })
}

async function lockOwner(tx: Db, orgId: string, phone: string): Promise<string> {
  const customerId = await resolveCustomer(tx, personOfPhone(orgId, phone))
  await run(tx, lockCustomers([{ orgId, id: customerId }]))
  return customerId
}

async function refuseAffiliate(tx: Db, orgId: string, customerId: string): Promise<void> {
  const [affiliate] = await tx
    .select({ id: contacts.id })
    .from(contacts)
    .where(
      and(eq(contacts.orgId, orgId), eq(contacts.customerId, customerId), eq(contacts.isAffiliate, true)),
    )
  if (affiliate) throw new ApiError('AFFILIATE_PHONE')
}

async function insertContact(tx: Db, values: typeof contacts.$inferInsert): Promise<Contact> {
  try {
    const [created] = await tx.insert(contacts).values(values).returning()
    if (!created) throw new Error('a contact was not inserted')
    return created
  } catch (error) {
    if (violatedConstraint(error) !== 'contacts_crm_id') throw error
    throw new ApiError('UQ_CONSTRAINT_FAILED', 'The org has a contact with this crm_id.', { field: 'crm_id' })
  }
}
