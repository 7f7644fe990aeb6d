import { randomBytes } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { Db } from '../../src/db/client.ts'
import { chatrooms, contacts, contactWabas } from '../../src/db/schema/index.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import { personOfPhone } from '../../src/identity/aliases.ts'
import { resolveCustomer } from '../../src/identity/resolve-customers.ts'
import { provision } from '../../src/orgs/provision.ts'
import { parseProvisionFile } from '../../src/orgs/provision-file.ts'
import { encryptSecret } from '../../src/secrets.ts'

let counter = 0

export type TestOrg = { id: string; wabaId: string; phones: string[] }

/** An org of its own with one WABA and some numbers; ids are unique, so that tests do not meet. */
export async function createOrg(
  db: Db,
  settings: Record<string, unknown> = {},
  options: { phones?: number; users?: string[] } = {},
): Promise<TestOrg> {
  const n = `${process.pid}-${counter++}`
  const phones = Array.from({ length: options.phones ?? 1 }, (_, i) => `phone-${n}-${i}`)
  const org = { id: `org-${n}`, wabaId: `waba-${n}`, phones }
  const users = (options.users ?? ['ann', 'bob']).map((id) => ({
    id,
    email: `${id}@${org.id}.test`,
    name: id,
  }))
  await provision(
    db,
    parseProvisionFile(
      JSON.stringify({
        orgs: [
          {
            id: org.id,
            name: `Org ${n}`,
            settings,
            wabas: [
              {
                id: org.wabaId,
                name: 'Main',
                phones: phones.map((id) => ({ id, display_phone_number: `+1 ${id}` })),
              },
            ],
            users,
          },
        ],
      }),
    ),
    undefined,
  )
  return org
}

const KEY = randomBytes(32)

/** Of the orgs that `createSendingOrg` makes. */
export const ACCESS_TOKEN = 'leak-access-token'

/** For processes that send for orgs made by `createSendingOrg`. */
export const SECRETS_KEY = KEY.toString('base64')

/** An org that has an auto-reply and the token to send it. */
export async function createSendingOrg(db: Db, settings: Record<string, unknown> = {}): Promise<TestOrg> {
  const org = await createOrg(db, { auto_reply_text: 'closed', ...settings })
  const token = encryptSecret(ACCESS_TOKEN, KEY, `${org.id}/${org.wabaId}`)
  await db.$client.query('update wabas set access_token = $2 where org_id = $1', [org.id, token])
  return org
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

/** A contact of the customer with that phone (`+` and digits) and its chatroom, in any state. */
export async function createRoom(db: Db, org: TestOrg, room: TestRoom = {}) {
  const { phone, customer = '+15550001111', contactCreatedAt, ...columns } = room
  const [id, contactId, orgId] = [uuidv7(), uuidv7(), org.id]
  const wabaPhoneId = phone ?? org.phones[0] ?? ''
  return inTransaction(db, async (tx) => {
    const customerId = await resolveCustomer(tx, personOfPhone(orgId, customer))
    const created = contactCreatedAt ?? columns.createdAt ?? new Date()
    await tx.insert(contacts).values({
      orgId,
      id: contactId,
      customerId,
      crmId: `crm-${contactId}`,
      phone: customer,
      createdAt: created,
      expiredAt: columns.expiredAt,
    })
    await tx.insert(contactWabas).values({ orgId, contactId, wabaPhoneId })
    await tx.insert(chatrooms).values({
      orgId,
      id,
      contactId,
      customerId,
      wabaPhoneId,
      displayName: `crm-${contactId}`,
      ...columns,
    })
    return { id, contactId, customerId, wabaPhoneId }
  })
}
