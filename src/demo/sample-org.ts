import { v7 as uuidv7 } from 'uuid'
import { type Db, inTransaction } from '../db/client.ts'
import { chatrooms, contacts, contactWabas } from '../db/schema/index.ts'
import { personOfPhone } from '../identity/aliases.ts'
import { resolveCustomers } from '../identity/resolve-customers.ts'
import { provision } from '../orgs/provision.ts'
import { parseProvisionFile } from '../orgs/provision-file.ts'

const DAY_MS = 86_400_000

export const REPLY = 'This chat is closed. Please write to your new contact, or call us.'

export type SampleOrg = { id: string; wabaId: string; phoneId: string }

/** Phones of the sample customers, by what their chatrooms are like. */
export const CUSTOMERS = {
  active: '+919810000001',
  both: '+919810000002',
  deactivated: '+919810000003',
  expired: '+919810000004',
  unknown: '+919810000005',
}

/** A sample org of its own for each run, with contacts whose chatrooms are in all states. */
export async function createSampleOrg(
  db: Db,
  run: string,
  now: Date,
  secretsKey: Buffer | undefined,
): Promise<SampleOrg> {
  const org = { id: `demo-${run}`, wabaId: `waba-${run}`, phoneId: `phone-${run}` }
  const phones = [{ id: org.phoneId, display_phone_number: '+1 555 078 3881' }]
  const wabas = [{ id: org.wabaId, name: 'Sample WABA', access_token: 'sample-token', phones }]
  const users = [{ id: 'asha', email: 'asha@example.com', name: 'Asha' }]
  const settings = { inactivity_days: 30, expiry_days: 180, auto_reply_text: REPLY }
  const file = { orgs: [{ id: org.id, name: 'Sample org', settings, wabas, users }] }
  await provision(db, parseProvisionFile(JSON.stringify(file)), secretsKey)
  const ago = (days: number) => new Date(now.getTime() - days * DAY_MS)
  const { active, both, deactivated, expired } = CUSTOMERS
  await inTransaction(db, async (tx) => {
    await addRoom(tx, org, active, 'Ana (lead 1)', { activatedAt: ago(3) })
    await addRoom(tx, org, both, 'Ben (lead 2)', { activatedAt: ago(2) })
    await addRoom(tx, org, both, 'Ben (lead 3)', { deactivatedAt: ago(1) })
    await addRoom(tx, org, deactivated, 'Cleo (lead 4)', { deactivatedAt: ago(40) })
    await addRoom(tx, org, deactivated, 'Cleo (lead 5)', { deactivatedAt: ago(5) })
    await addRoom(tx, org, expired, 'Dan (lead 6)', { expiredAt: ago(20) })
    await addRoom(tx, org, expired, 'Dan (lead 7)', { expiredAt: ago(9) })
  })
  return org
}

async function addRoom(
  tx: Db,
  org: SampleOrg,
  phone: string,
  name: string,
  times: { activatedAt?: Date; deactivatedAt?: Date; expiredAt?: Date },
): Promise<void> {
  const [id, contactId, orgId, wabaPhoneId] = [uuidv7(), uuidv7(), org.id, org.phoneId]
  const [customerId = ''] = await resolveCustomers(tx, [personOfPhone(orgId, phone)])
  await tx
    .insert(contacts)
    .values({ orgId, id: contactId, customerId, crmId: name, phone, expiredAt: times.expiredAt })
  await tx.insert(contactWabas).values({ orgId, contactId, wabaPhoneId })
  await tx
    .insert(chatrooms)
    .values({ orgId, id, contactId, customerId, wabaPhoneId, displayName: name, ...times })
}
