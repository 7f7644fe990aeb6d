import { randomBytes } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { Db } from '../../src/db/client.ts'
import { chatrooms, contacts, contactWabas } from '../../src/db/schema/index.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import { personOfPhone } from '../../src/identity/person.ts'
import { resolveCustomers } from '../../src/identity/resolve-customers.ts'
import { provision } from '../../src/orgs/provision.ts'
import { parseProvisionFile } from '../../src/orgs/provision-file.ts'
import { encryptSecret } from '../../src/secrets.ts'

let counter = 0

/** `wabaIds`: all WABAs, the first of which is `wabaId`. */
export type TestOrg = { id: string; wabaId: string; wabaIds: string[]; phones: string[] }

/** `wabas`: for each number, which WABA it belongs to, counted from 0; by default the first. */
type OrgOptions = { phones?: number; wabas?: number[]; users?: string[] }

/** An org of its own with one WABA and some numbers; ids are unique, so that tests do not affect each other. */
export async function createOrg(
  db: Db,
  settings: Record<string, unknown> = {},
  options: OrgOptions = {},
): Promise<TestOrg> {
  const [org] = await createOrgs(db, 1, settings, options)
  return org!
}

/** Several such orgs, in one transaction. */
export async function createOrgs(
  db: Db,
  count: number,
  settings: Record<string, unknown> = {},
  { phones = 1, wabas = [], users = ['ann', 'bob'] }: OrgOptions = {},
): Promise<TestOrg[]> {
  const wabaCount = Math.max(0, ...wabas) + 1
  const orgs = Array.from({ length: count }, () => {
    const n = `${process.pid}-${counter++}`
    const numbers = Array.from({ length: phones }, (_, i) => `phone-${n}-${i}`)
    const wabaIds = Array.from({ length: wabaCount }, (_, i) => (i === 0 ? `waba-${n}` : `waba-${n}-${i}`))
    return { id: `org-${n}`, wabaId: `waba-${n}`, wabaIds, phones: numbers }
  })
  const file = {
    orgs: orgs.map((org) => ({
      id: org.id,
      name: `Org ${org.id.slice(4)}`,
      settings,
      wabas: org.wabaIds.map((id, waba) => ({
        id,
        name: waba === 0 ? 'Main' : `WABA ${waba}`,
        phones: org.phones
          .filter((_, i) => (wabas[i] ?? 0) === waba)
          .map((phone) => ({ id: phone, display_phone_number: `+1 ${phone}` })),
      })),
      users: users.map((id) => ({ id, email: `${id}@${org.id}.test`, name: id })),
    })),
  }
  await provision(db, parseProvisionFile(JSON.stringify(file)), undefined)
  // The audit of a test begins with what the test does.
  await db.$client.query('delete from events where org_id = any($1)', [orgs.map(({ id }) => id)])
  return orgs
}

const KEY = randomBytes(32)

/** Of the orgs that `createSendingOrg` makes. */
export const ACCESS_TOKEN = 'leak-access-token'

/** For processes that send for orgs made by `createSendingOrg`. */
export const SECRETS_KEY = KEY.toString('base64')

/** An org that has an auto-reply and the token to send it. */
export async function createSendingOrg(db: Db, settings: Record<string, unknown> = {}): Promise<TestOrg> {
  const [org] = await createSendingOrgs(db, 1, settings)
  return org!
}

/** Several such orgs. */
export async function createSendingOrgs(
  db: Db,
  count: number,
  settings: Record<string, unknown> = {},
  options: OrgOptions = {},
): Promise<TestOrg[]> {
  const orgs = await createOrgs(db, count, { auto_reply_text: 'closed', ...settings }, options)
  for (const { id, wabaId } of orgs) {
    const token = encryptSecret(ACCESS_TOKEN, KEY, `${id}/${wabaId}`)
    await db.$client.query('update wabas set access_token = $2 where org_id = $1', [id, token])
  }
  return orgs
}

export type TestRoom = {
  phone?: string
  customer?: string
  createdAt?: Date
  contactCreatedAt?: Date
  activatedAt?: Date
  lastInboundAt?: Date
  deactivatedAt?: Date
  expiredAt?: Date
  pendingUserId?: string
}

type CreatedRoom = { id: string; contactId: string; customerId: string; wabaPhoneId: string }

/** A contact of the customer with that phone (`+` and digits) and its chatroom, in any state. */
export async function createRoom(db: Db, org: TestOrg, room: TestRoom = {}): Promise<CreatedRoom> {
  const [created] = await createRooms(db, [{ org, room }])
  return created!
}

/** Several such contacts with their chatrooms, in one transaction. */
export function createRooms(db: Db, wanted: { org: TestOrg; room: TestRoom }[]): Promise<CreatedRoom[]> {
  return inTransaction(db, async (tx) => {
    const people = wanted.map(({ org, room: { customer = PHONE } }) => personOfPhone(org.id, customer))
    const customerIds = await resolveCustomers(tx, people)
    const made = wanted.map(({ org, room }, i) => rowsOf(org, room, customerIds[i]!))
    await tx.insert(contacts).values(made.map((rows) => rows.contact))
    await tx.insert(contactWabas).values(made.map((rows) => rows.mapping))
    await tx.insert(chatrooms).values(made.map((rows) => rows.chatroom))
    return made.map(({ chatroom: { id, contactId, customerId, wabaPhoneId } }) => ({
      id,
      contactId,
      customerId,
      wabaPhoneId,
    }))
  })
}

const PHONE = '+15550001111'

function rowsOf(org: TestOrg, room: TestRoom, customerId: string) {
  const { phone, customer = PHONE, contactCreatedAt, ...columns } = room
  const [id, contactId, orgId] = [uuidv7(), uuidv7(), org.id]
  const wabaPhoneId = phone ?? org.phones[0] ?? ''
  const createdAt = contactCreatedAt ?? columns.createdAt ?? new Date()
  const { expiredAt } = columns
  const crmId = `crm-${contactId}`
  return {
    contact: { orgId, id: contactId, customerId, crmId, phone: customer, createdAt, expiredAt },
    mapping: { orgId, contactId, wabaPhoneId },
    chatroom: { orgId, id, contactId, customerId, wabaPhoneId, displayName: crmId, ...columns },
  }
}

/** Applies a provision file of one org; its name need not be given. */
export async function provisionOrg(db: Db, org: { id: string } & Record<string, unknown>) {
  const known = await db.$client.query<{ name: string }>('select name from orgs where id = $1', [org.id])
  const name = known.rows[0]?.name ?? org.id
  return provision(db, parseProvisionFile(JSON.stringify({ orgs: [{ name, ...org }] })), KEY)
}
