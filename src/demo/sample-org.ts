import { eq } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import type { Db } from '../db/client.ts'
import { chatrooms, contacts, contactWabas } from '../db/schema/index.ts'
import { inTransaction } from '../db/transaction.ts'
import { personOfPhone } from '../identity/person.ts'
import { resolveCustomer } from '../identity/resolve-customers.ts'
import { provision } from '../orgs/provision.ts'
import { parseProvisionFile } from '../orgs/provision-file.ts'

/** `customers`: phones of this run's sample customers, named after the states of their chatrooms. */
export type SampleOrg = { id: string; wabaId: string; phoneId: string; customers: SampleCustomers }
type SampleCustomers = Record<(typeof STATES)[number], string>

const STATES = ['active', 'activeAndDeactivated', 'deactivated', 'expired', 'unknown'] as const

/** The ids of the agents of both sample orgs. */
export const AGENTS = ['asha', 'bela', 'chidi']
const STAFF = {
  users: AGENTS.map((id) => ({
    id,
    email: `${id}@example.com`,
    name: id.replace(/^./, (first) => first.toUpperCase()),
  })),
  groups: [
    { id: 'sales', name: 'Sales', members: ['asha', 'bela'] },
    { id: 'service', name: 'Service', members: ['chidi'] },
  ],
}

const DAY_MS = 86_400_000
const AUTO_REPLY = 'This chat is closed. Please write to your new contact, or call us.'

/** Phones that no earlier run has: `run` is a time in base 36. */
function customersOf(run: string): SampleCustomers {
  const seconds = Math.floor(Number.parseInt(run, 36) / 1_000) % 10_000_000
  const phones = STATES.map((state, i) => [state, `+9198${String(seconds).padStart(7, '0')}${i + 1}`])
  return Object.fromEntries(phones) as SampleCustomers
}

/**
 * Creates the sample org, or takes that of an earlier run, and adds contacts of this run whose chatrooms are in all states.
 * The org holds messages of strangers.
 */
export async function createSampleOrg(
  db: Db,
  run: string,
  now: Date,
  secretsKey: Buffer | undefined,
): Promise<SampleOrg> {
  const org = { ...idsOf('sample-org'), customers: customersOf(run) }
  const settings = { inactivity_days: 30, expiry_days: 180, auto_reply_text: AUTO_REPLY }
  const names = { org: 'Sample org', waba: 'Sample WABA', number: '+1 555 078 3881' }
  await provisionOrg(db, org, names, { settings }, secretsKey)
  await inTransaction(db, (tx) => addRooms(tx, org, run, now))
  return org
}

/** Creates a second sample org, or takes that of an earlier run; it creates chatrooms for strangers instead of holding their messages. */
export async function createSampleShop(
  db: Db,
  run: string,
  secretsKey: Buffer | undefined,
): Promise<SampleOrg> {
  const org = { ...idsOf('sample-shop'), customers: customersOf(run) }
  const settings = {
    ...{ inactivity_days: 14, expiry_days: 365, unknown_sender: 'create' },
    ...{ auto_reply_text: AUTO_REPLY, auto_reply_min_interval_seconds: 60 },
  }
  const names = { org: 'Sample shop', waba: 'Shop WABA', number: '+44 20 7946 0018' }
  await provisionOrg(db, org, names, { settings }, secretsKey)
  return org
}

function idsOf(id: string) {
  return { id, wabaId: `${id}-waba`, phoneId: `${id}-phone` }
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
  const file = { orgs: [{ id, name: names.org, wabas, ...STAFF, ...more }] }
  await provision(db, parseProvisionFile(JSON.stringify(file)), secretsKey)
}

async function addRooms(tx: Db, org: SampleOrg, run: string, now: Date): Promise<void> {
  const ago = (days: number) => new Date(now.getTime() - days * DAY_MS)
  const { active, activeAndDeactivated, deactivated, expired } = org.customers
  const isFirst = (await countContacts(tx, org.id)) === 0
  const add = (phone: string, name: string, times: Times) =>
    addRoom(tx, org, { phone, name, crmId: isFirst ? name : `${name}, run ${run}` }, times)
  await add(active, 'Ana (lead 1)', { activatedAt: ago(3) })
  await add(activeAndDeactivated, 'Ben (lead 2)', { activatedAt: ago(2) })
  await add(activeAndDeactivated, 'Ben (lead 3)', { deactivatedAt: ago(1) })
  await add(deactivated, 'Cleo (lead 4)', { deactivatedAt: ago(40) })
  await add(deactivated, 'Cleo (lead 5)', { deactivatedAt: ago(5) })
  await add(expired, 'Dan (lead 6)', { expiredAt: ago(20) })
  await add(expired, 'Dan (lead 7)', { expiredAt: ago(9) })
}

type Times = { activatedAt?: Date; deactivatedAt?: Date; expiredAt?: Date }

function countContacts(tx: Db, orgId: string): Promise<number> {
  return tx.$count(contacts, eq(contacts.orgId, orgId))
}

async function addRoom(
  tx: Db,
  org: SampleOrg,
  { phone, name, crmId }: { phone: string; name: string; crmId: string },
  times: Times,
): Promise<void> {
  const [id, contactId, orgId, wabaPhoneId] = [uuidv7(), uuidv7(), org.id, org.phoneId]
  const customerId = await resolveCustomer(tx, personOfPhone(orgId, phone))
  await tx
    .insert(contacts)
    .values({ orgId, id: contactId, customerId, crmId, phone, expiredAt: times.expiredAt })
  await tx.insert(contactWabas).values({ orgId, contactId, wabaPhoneId })
  await tx
    .insert(chatrooms)
    .values({ orgId, id, contactId, customerId, wabaPhoneId, displayName: name, ...times })
}
