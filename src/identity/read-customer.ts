import { and, asc, eq } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { contacts, customers } from '../db/schema/index.ts'
import { allRows, run, type Statement } from '../db/statement.ts'
import type { Alias } from './aliases.ts'
import { findCustomerEver } from './find-customers.ts'
import { type Person, personOf, personOfPhone } from './person.ts'

/** A name of a customer, and when it was given up, if it was. */
export type CustomerName = Alias & { createdAt: Date; givenUpAt: Date | null }

/** One customer with every name, present and given up, and every contact that points to it. */
export type CustomerView = {
  customer: typeof customers.$inferSelect
  aliases: CustomerName[]
  contacts: (typeof contacts.$inferSelect)[]
}

/** How a customer is asked for. `userId` is a BSUID or a parent BSUID. */
type Asked = { phone?: string | undefined; userId?: string | undefined }

/** The customer whom routing would take this phone or id for, or who gave it up last; undefined when the org has none. */
export async function readCustomer(db: Db, orgId: string, asked: Asked): Promise<CustomerView | undefined> {
  const id = await findCustomerAsked(db, orgId, asked)
  return id === undefined ? undefined : readCustomerById(db, orgId, id)
}

/** The id of the customer of `readCustomer`. */
export function findCustomerAsked(
  db: Db,
  orgId: string,
  { phone, userId }: Asked,
): Promise<string | undefined> {
  const ids = { waId: undefined, userId, parentUserId: userId, profileName: undefined }
  const person: Person = phone ? personOfPhone(orgId, phone) : personOf(orgId, ids)
  return findCustomerEver(db, person)
}

/** The customer of this id; undefined when the org has none. */
export async function readCustomerById(db: Db, orgId: string, id: string): Promise<CustomerView | undefined> {
  const mine = and(eq(customers.orgId, orgId), eq(customers.id, id))
  const [customer] = await db.select().from(customers).where(mine)
  const theirs = await db
    .select()
    .from(contacts)
    .where(and(eq(contacts.orgId, orgId), eq(contacts.customerId, id)))
    .orderBy(asc(contacts.createdAt), asc(contacts.id))
  return customer && { customer, aliases: await run(db, readNames(orgId, id)), contacts: theirs }
}

/** The names of a customer, present ones first, the oldest first. */
export function readNames(orgId: string, id: string): Statement<CustomerName[]> {
  return {
    name: 'read-names',
    text: `select kind, value, created_at as "createdAt", null as "givenUpAt"
        from customer_aliases where org_id = $1 and customer_id = $2
      union all
      select kind, value, created_at, until from former_aliases where org_id = $1 and customer_id = $2
      order by "givenUpAt" nulls first, "createdAt", kind, value`,
    values: [orgId, id],
    read: allRows<CustomerName>,
  }
}
