import { and, asc, eq } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { contacts, customerAliases, customers } from '../db/schema/index.ts'
import { type Person, personOf, personOfPhone } from './aliases.ts'
import { findCustomer } from './find-customers.ts'

/** One customer with every name it has and every contact that points to it. */
export type CustomerView = {
  customer: typeof customers.$inferSelect
  aliases: Pick<typeof customerAliases.$inferSelect, 'kind' | 'value' | 'createdAt'>[]
  contacts: (typeof contacts.$inferSelect)[]
}

/** The customer that routing would take this phone or BSUID for; undefined when it knows none. */
export async function readCustomer(
  db: Db,
  orgId: string,
  { phone, userId }: { phone?: string | undefined; userId?: string | undefined },
): Promise<CustomerView | undefined> {
  const nameless = { waId: undefined, parentUserId: undefined, profileName: undefined }
  const person: Person = phone ? personOfPhone(orgId, phone) : personOf(orgId, { ...nameless, userId })
  const id = await findCustomer(db, person)
  return id === undefined ? undefined : readCustomerById(db, orgId, id)
}

/** The customer of this id; undefined when the org has none. */
export async function readCustomerById(db: Db, orgId: string, id: string): Promise<CustomerView | undefined> {
  const mine = and(eq(customers.orgId, orgId), eq(customers.id, id))
  const [customer] = await db.select().from(customers).where(mine)
  const aliases = await db
    .select({
      kind: customerAliases.kind,
      value: customerAliases.value,
      createdAt: customerAliases.createdAt,
    })
    .from(customerAliases)
    .where(and(eq(customerAliases.orgId, orgId), eq(customerAliases.customerId, id)))
    .orderBy(asc(customerAliases.createdAt), asc(customerAliases.kind), asc(customerAliases.value))
  const theirs = await db
    .select()
    .from(contacts)
    .where(and(eq(contacts.orgId, orgId), eq(contacts.customerId, id)))
    .orderBy(asc(contacts.createdAt), asc(contacts.id))
  return customer && { customer, aliases, contacts: theirs }
}
