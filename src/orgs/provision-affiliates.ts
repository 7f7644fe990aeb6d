import { sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { chatrooms, contacts, contactWabas } from '../db/schema/index.ts'
import { run } from '../db/statement.ts'
import { logEvents } from '../event-log/log-events.ts'
import { lockCustomers } from '../identity/lock-customers.ts'
import { personOfPhone } from '../identity/person.ts'
import { resolveCustomers } from '../identity/resolve-customers.ts'
import { attachHeldMessages } from '../messages/attach-held.ts'
import { readNumbers } from './move-number.ts'
import { ProvisionError, type ProvisionOrg } from './provision-file.ts'

/**
 * Creates the org's affiliates (partners, back office): each phone has exactly one contact and one chatroom.
 * @throws ProvisionError when an affiliate's phone already has another contact
 */
export async function provisionAffiliates(tx: Db, org: ProvisionOrg): Promise<void> {
  const ids = org.affiliates.map((affiliate) => affiliate.remote_phone_id)
  const numbers = await run(tx, readNumbers(org.id, ids))
  const people = org.affiliates.map(({ phone }) => personOfPhone(org.id, phone))
  const customerIds = (await resolveCustomers(tx, people)).filter((id) => id !== undefined)
  await run(tx, lockCustomers(customerIds.map((id) => ({ orgId: org.id, id }))))
  for (const [i, affiliate] of org.affiliates.entries()) {
    const customerId = customerIds[i]
    if (!customerId) throw new Error('an affiliate has no customer')
    const existing = await tx
      .select({ crmId: contacts.crmId })
      .from(contacts)
      .where(sql`${contacts.orgId} = ${org.id} and ${contacts.customerId} = ${customerId}`)
    if (existing.some((c) => c.crmId !== affiliate.crm_id)) {
      throw new ProvisionError(`affiliate ${affiliate.crm_id}: its phone already has another contact`)
    }
    const number = numbers.get(affiliate.remote_phone_id)
    if (!number) throw new ProvisionError(`affiliate ${affiliate.crm_id} names an unknown number`)
    if (existing.length === 0) await createAffiliate(tx, org, { ...affiliate, ...number }, customerId)
  }
}

async function createAffiliate(
  tx: Db,
  org: ProvisionOrg,
  affiliate: ProvisionOrg['affiliates'][number] & { phoneId: string },
  customerId: string,
): Promise<void> {
  const [contactId, id, orgId] = [uuidv7(), uuidv7(), org.id]
  const { crm_id: crmId, phone, phoneId: wabaPhoneId } = affiliate
  await tx.insert(contacts).values({ orgId, id: contactId, customerId, crmId, phone, isAffiliate: true })
  await tx.insert(contactWabas).values({ orgId, contactId, wabaPhoneId })
  const historyVisible = sql<boolean>`(select room_history_visible from orgs where id = ${orgId})`
  await tx
    .insert(chatrooms)
    .values({ orgId, id, contactId, customerId, wabaPhoneId, displayName: crmId, historyVisible })
  const attached = await run(tx, attachHeldMessages([{ orgId, id, customerId, phoneId: wabaPhoneId }]))
  const after = { state: 'active' }
  await recordEvents(tx, [
    { orgId, kind: 'chatroom.created', actor: 'provision', customerId, contactId, chatroomId: id, after },
  ])
  await run(tx, logEvents(attached))
}
