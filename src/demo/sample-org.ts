import { v7 as uuidv7 } from 'uuid'
import type { Db } from '../db/client.ts'
import { chatrooms, contacts, contactWabas } from '../db/schema/index.ts'
import { inTransaction } from '../db/transaction.ts'
import { personOfPhone } from '../identity/person.ts'
import { resolveCustomer } from '../identity/resolve-customers.ts'
import { provision } from '../orgs/provision.ts'
import { parseProvisionFile } from '../orgs/provision-file.ts'

export type SampleOrg = { id: string; wabaId: string; phoneId: string }

const DAY_MS = 86_400_000
const AUTO_REPLY = 'This chat is closed. Please write to your new contact, or call us.'

/** Phones of the sample customers, named after the states of their chatrooms. */
export const CUSTOMERS = {
  active: '+919810000001',
  activeAndDeactivated: '+919810000002',
  deactivated: '+919810000003',
  expired: '+919810000004',
  unknown: '+919810000005',
}

/** Creates a sample org for this run, with contacts whose chatrooms are in all states. It holds messages of strangers. */
export async function createSampleOrg(
  db: Db,
  run: string,
  now: Date,
  secretsKey: Buffer | undefined,
): Promise<SampleOrg> {
  const org = { id: `demo-${run}`, wabaId: `waba-${run}`, phoneId: `phone-${run}` }
  const users = [{ id: 'asha', email: 'asha@example.com', name: 'Asha' }]
  const settings = { inactivity_days: 30, expiry_days: 180, auto_reply_text: AUTO_REPLY }
  const names = { org: 'Sample org', waba: 'Sample WABA', number: '+1 555 078 3881' }
  await provisionOrg(db, org, names, { settings, users }, secretsKey)
  await inTransaction(db, (tx) => addRooms(tx, org, now))
  return org
}

/** Creates a second sample org, which creates chatrooms for strangers instead of holding their messages. */
export async function createSampleShop(
  db: Db,
  run: string,
  secretsKey: Buffer | undefined,
): Promise<SampleOrg> {
  const org = { id: `shop-${run}`, wabaId: `shop-waba-${run}`, phoneId: `shop-phone-${run}` }
  const settings = {
    ...{ inactivity_days: 14, expiry_days: 365, unknown_sender: 'create' },
    ...{ auto_reply_text: AUTO_REPLY, auto_reply_min_interval_seconds: 60 },
  }
  const names = { org: 'Sample shop', waba: 'Shop WABA', number: '+44 20 7946 0018' }
  await provisionOrg(db, org, names, { settings }, secretsKey)
  return org
}

async function provisionOrg(
  db: Db,
  { id, wabaId, phoneId }: SampleOrg,
  names: { org: string; waba: string; number: string },
  more: object,
  secretsKey: Buffer | undefined,
): Promise<void> {
  const phones = [{ id: phoneId, display_phone_number: names.number }]
  const wabas = [{ id: wabaId, name: names.waba, access_token: 'sample-token', phones }]
  const file = { orgs: [{ id, name: names.org, wabas, ...more }] }
  await provision(db, parseProvisionFile(JSON.stringify(file)), secretsKey)
}

async function addRooms(tx: Db, org: SampleOrg, now: Date): Promise<void> {
  const ago = (days: number) => new Date(now.getTime() - days * DAY_MS)
  const { active, activeAndDeactivated, deactivated, expired } = CUSTOMERS
  await addRoom(tx, org, active, 'Ana (lead 1)', { activatedAt: ago(3) })
  await addRoom(tx, org, activeAndDeactivated, 'Ben (lead 2)', { activatedAt: ago(2) })
  await addRoom(tx, org, activeAndDeactivated, 'Ben (lead 3)', { deactivatedAt: ago(1) })
  await addRoom(tx, org, deactivated, 'Cleo (lead 4)', { deactivatedAt: ago(40) })
  await addRoom(tx, org, deactivated, 'Cleo (lead 5)', { deactivatedAt: ago(5) })
  await addRoom(tx, org, expired, 'Dan (lead 6)', { expiredAt: ago(20) })
  await addRoom(tx, org, expired, 'Dan (lead 7)', { expiredAt: ago(9) })
}

async function addRoom(
  tx: Db,
  org: SampleOrg,
  phone: string,
  name: string,
  times: { activatedAt?: Date; deactivatedAt?: Date; expiredAt?: Date },
): Promise<void> {
  const [id, contactId, orgId, wabaPhoneId] = [uuidv7(), uuidv7(), org.id, org.phoneId]
  const customerId = await resolveCustomer(tx, personOfPhone(orgId, phone))
  await tx
    .insert(contacts)
    .values({ orgId, id: contactId, customerId, crmId: name, phone, expiredAt: times.expiredAt })
  await tx.insert(contactWabas).values({ orgId, contactId, wabaPhoneId })
  await tx
    .insert(chatrooms)
    .values({ orgId, id, contactId, customerId, wabaPhoneId, displayName: name, ...times })
}
