import { and, eq } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import type { Db } from '../db/client.ts'
import { chatroomMembers, chatrooms, contacts, contactWabas, events } from '../db/schema/index.ts'
import { inTransaction } from '../db/transaction.ts'
import { personOfPhone } from '../identity/person.ts'
import { resolveCustomer } from '../identity/resolve-customers.ts'
import { AGENTS, type SampleOrg } from './sample-org.ts'

/** A sample customer; `roomId` is undefined for one without a chatroom. */
export type SampleCustomer = { phone: string; name: string; roomId: string | undefined }

const HOUR_MS = 3_600_000
const CUSTOMERS = 56
const NAMES = ['Mira', 'Jon', 'Sara', 'Theo', 'Lena', 'Ravi', 'Noor', 'Finn', 'Aiko', 'Luis', 'Emma', 'Omar']
const ENDINGS = [undefined, undefined, undefined, 'deactivated', 'expired', undefined, 'deactivated'] as const

/**
 * Creates customers whose chatrooms were created, and partly deactivated or expired, in the last two weeks, with the
 * audit events of these changes. Agents have three quarters of the chatrooms. Customers of an earlier run are taken as they are. Every ninth customer has no chatroom.
 * @param areaCode the beginning of their phones, in E.164 form
 */
export async function createSampleCustomers(
  db: Db,
  org: SampleOrg,
  areaCode: string,
  now: Date,
): Promise<SampleCustomer[]> {
  return inTransaction(db, async (tx) => {
    const customers: SampleCustomer[] = []
    for (let i = 0; i < CUSTOMERS; i += 1) customers.push(await createCustomer(tx, org, areaCode, i, now))
    return customers
  })
}

async function createCustomer(
  tx: Db,
  org: SampleOrg,
  areaCode: string,
  i: number,
  now: Date,
): Promise<SampleCustomer> {
  const phone = `${areaCode}${String(10_000 + i * 37)}`
  const name = `${NAMES[i % NAMES.length]} (lead ${100 + i})`
  const known = await findRoom(tx, org.id, name)
  if (known !== undefined) return { phone, name, roomId: known }
  const customerId = await resolveCustomer(tx, personOfPhone(org.id, phone))
  if (i % 9 === 8) return { phone, name, roomId: undefined }
  const createdAt = new Date(now.getTime() - (6 + ((i * 53) % 310)) * HOUR_MS)
  const endedAt = new Date((createdAt.getTime() + now.getTime()) / 2)
  const ending = ENDINGS[i % ENDINGS.length]
  const roomId = await createChatroom(tx, org, { customerId, phone, name, createdAt, endedAt, ending })
  const userId = AGENTS[i % (AGENTS.length + 1)]
  if (userId) await tx.insert(chatroomMembers).values({ orgId: org.id, chatroomId: roomId, userId })
  return { phone, name, roomId }
}

/** The chatroom of the contact with this `crm_id`. */
async function findRoom(tx: Db, orgId: string, crmId: string): Promise<string | undefined> {
  const [room] = await tx
    .select({ id: chatrooms.id })
    .from(contacts)
    .innerJoin(chatrooms, and(eq(chatrooms.orgId, contacts.orgId), eq(chatrooms.contactId, contacts.id)))
    .where(and(eq(contacts.orgId, orgId), eq(contacts.crmId, crmId)))
  return room?.id
}

type Life = {
  customerId: string
  phone: string
  name: string
  createdAt: Date
  endedAt: Date
  ending: (typeof ENDINGS)[number]
}

async function createChatroom(tx: Db, org: SampleOrg, life: Life): Promise<string> {
  const { customerId, phone, name, createdAt, endedAt, ending } = life
  const [roomId, contactId, orgId, wabaPhoneId] = [uuidv7(), uuidv7(), org.id, org.phoneId]
  const expiredAt = ending === 'expired' ? endedAt : undefined
  await tx
    .insert(contacts)
    .values({ orgId, id: contactId, customerId, crmId: name, phone, createdAt, expiredAt })
  await tx.insert(contactWabas).values({ orgId, contactId, wabaPhoneId })
  const owner = { orgId, contactId, customerId }
  await tx.insert(chatrooms).values({
    ...{ ...owner, id: roomId, wabaPhoneId, displayName: name, createdAt, activatedAt: createdAt, expiredAt },
    ...(ending === 'deactivated' && { deactivatedAt: endedAt, deactivationReason: 'FORCE_DEACTIVATE' }),
  })
  const event = (kind: string, at: Date) => ({
    ...{ ...owner, id: uuidv7({ msecs: at.getTime() }), chatroomId: roomId },
    ...{ kind, actor: 'demo', reason: 'part of the sample', createdAt: at },
  })
  const ended = ending === undefined ? [] : [event(`chatroom.${ending}`, endedAt)]
  await tx.insert(events).values([event('chatroom.created', createdAt), ...ended])
  return roomId
}
