import { eq } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import type { Db } from '../../src/db/client.ts'
import type { Org } from '../../src/db/schema/index.ts'
import { contacts, orgs } from '../../src/db/schema/index.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import { personOfPhone } from '../../src/identity/person.ts'
import { resolveCustomer } from '../../src/identity/resolve-customers.ts'
import type { TestOrg } from './org.ts'

type Lead = Partial<Omit<typeof contacts.$inferInsert, 'orgId' | 'id' | 'customerId'>> & { customer?: string }

/** A contact of the customer with that phone (`+` and digits), without a chatroom; gives its id. */
export async function createLead(db: Db, org: TestOrg, { customer = '+15550001111', ...columns }: Lead = {}) {
  const id = uuidv7()
  return inTransaction(db, async (tx) => {
    const customerId = await resolveCustomer(tx, personOfPhone(org.id, customer))
    const names = { crmId: `crm-${id}`, phone: customer }
    await tx.insert(contacts).values({ orgId: org.id, id, customerId, ...names, ...columns })
    return id
  })
}

/** The org as endpoints get it, with its settings of now. */
export async function readOrg(db: Db, org: TestOrg): Promise<Org> {
  const [row] = await db.select().from(orgs).where(eq(orgs.id, org.id))
  if (!row) throw new Error(`no org ${org.id}`)
  return row
}

/** A group of users the org has. */
export async function createGroup(db: Db, org: TestOrg, id: string, members: string[]): Promise<string> {
  await db.$client.query('insert into groups (org_id, id, name) values ($1, $2, $2)', [org.id, id])
  await db.$client.query(
    'insert into group_members (org_id, group_id, user_id) select $1, $2, unnest($3::text[])',
    [org.id, id, members],
  )
  return id
}

/** Gives a chatroom to one more user, who sees it from that time on, or all of it. */
export async function addMember(
  db: Db,
  org: TestOrg,
  chatroomId: string,
  userId: string,
  visibleFrom: Date | null = null,
): Promise<void> {
  await db.$client.query(
    'insert into chatroom_members (org_id, chatroom_id, user_id, visible_from) values ($1, $2, $3, $4)',
    [org.id, chatroomId, userId, visibleFrom],
  )
}

/** The users who have a chatroom, in the order of their ids. */
export async function usersOf(db: Db, chatroomId: string): Promise<string[]> {
  const { rows } = await db.$client.query<{ user_id: string }>(
    'select user_id from chatroom_members where chatroom_id = $1 order by user_id',
    [chatroomId],
  )
  return rows.map((r) => r.user_id)
}

const TABLES = [
  ...['contacts', 'contact_wabas', 'chatrooms', 'chatroom_members', 'group_members', 'customers'],
  ...['customer_aliases', 'messages', 'events', 'outbox', 'waba_phones', 'meta_objects', 'users', 'groups'],
]

const FINGERPRINT = TABLES.map(
  (table) =>
    `select '${table}' as name, string_agg(t::text, E'\\n' order by t::text) as rows from ${table} t where org_id = $1`,
).join(' union all ')

/** One string that changes when anything of the org changes. */
export async function fingerprint(db: Db, orgId: string): Promise<string> {
  const { rows } = await db.$client.query<{ name: string; rows: string | null }>(FINGERPRINT, [orgId])
  return rows.map((table) => `${table.name}: ${table.rows}`).join('\n')
}
