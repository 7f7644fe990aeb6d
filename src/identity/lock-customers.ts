import { columns, text, uuid } from '../db/columns.ts'
import { RetryError } from '../db/pg-errors.ts'
import { over, type Statement } from '../db/statement.ts'

/** A customer of an org. */
export type CustomerKey = { orgId: string; id: string }

/**
 * A locked customer. `waId`: where the customer is reached, as the last message or change of numbers said; null if unknown.
 * `isErased`: the row is nobody's any more.
 */
export type LockedCustomer = CustomerKey & { waId: string | null; isErased?: boolean }

const KEYS = columns<CustomerKey>({ org_id: text((k) => k.orgId), id: uuid((k) => k.id) })

/**
 * Locks customers until the transaction ends, in (org, id) order, by code points as JavaScript sorts. Routing, API and sweeps hold this lock before they
 * decide about a customer's chatrooms, and read the chatrooms in a later statement.
 * @throws RetryError when one was merged into another between its look-up and this lock
 */
export function lockCustomers(customers: CustomerKey[]): Statement<LockedCustomer[]> {
  return over(KEYS, customers, {
    name: 'lock-customers',
    text: `select k.place::int, c.merged_into is not null as merged, c.wa_id as "waId",
        c.erased_at is not null as "isErased"
      from ${KEYS.as('k', { ordinality: 'place' })}
      join customers c on c.org_id = k.org_id and c.id = k.id
      order by c.org_id collate "C", c.id for update of c`,
    read(rows: { place: number; merged: boolean; waId: string | null; isErased: boolean }[]) {
      if (rows.some(({ merged }) => merged)) throw new RetryError('a customer was merged meanwhile')
      return rows.flatMap(({ place, waId, isErased }) => {
        const customer = customers[place - 1]
        return customer ? [{ orgId: customer.orgId, id: customer.id, waId, isErased }] : []
      })
    },
  })
}

/**
 * Refuses customers who were erased between their look-up and their lock.
 * @throws RetryError when one was; the next try finds nobody under the names
 */
export function assertNotErased(locked: LockedCustomer[]): void {
  if (locked.some(({ isErased }) => isErased)) throw new RetryError('a customer was erased meanwhile')
}

/**
 * Refuses customers of whom a transaction learned after it had locked the others, since a lock now would be out of order.
 * @throws RetryError when one of the customers is not among the locked ones; the next try learns of it in time
 */
export function assertLocked(customers: CustomerKey[], locked: CustomerKey[]): void {
  const isLocked = ({ orgId, id }: CustomerKey) =>
    locked.some((other) => other.id === id && other.orgId === orgId)
  if (!customers.every(isLocked)) throw new RetryError('a customer became known behind the locks')
}
