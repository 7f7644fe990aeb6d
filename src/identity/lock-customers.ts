import { textArray, uuidArray } from '../db/arrays.ts'
import type { Db } from '../db/client.ts'
import { RetryError } from '../db/pg-errors.ts'

/**
 * Locks customers until the transaction ends, in (org, id) order: whoever decides about a customer's chatrooms
 * (routing, API, sweeps) holds this lock first, and reads the chatrooms in a later statement.
 * @throws RetryError when one was merged into another between looking it up and locking it
 */
export async function lockCustomers(tx: Db, customers: { orgId: string; id: string }[]): Promise<void> {
  const { rows } = await tx.$client.query<{ merged: boolean }>({
    name: 'lock-customers',
    text: `select c.merged_into is not null as merged from unnest($1::text[], $2::uuid[]) as k(org_id, id)
      join customers c on c.org_id = k.org_id and c.id = k.id
      order by c.org_id, c.id for update of c`,
    values: [textArray(customers.map((c) => c.orgId)), uuidArray(customers.map((c) => c.id))],
  })
  if (rows.some((r) => r.merged)) throw new RetryError('a customer was merged meanwhile')
}
