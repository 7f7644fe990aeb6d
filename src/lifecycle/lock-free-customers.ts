import type { Db } from '../db/client.ts'

export type CustomerKey = { orgId: string; customerId: string }

/**
 * Locks those of the customers that nobody holds, until the transaction ends, in (org, id) order as
 * `lockCustomers` does. Who is being decided about elsewhere is left out, so a sweep waits for nobody.
 * @returns the customers locked, each once; their chatrooms must be read in a later statement.
 */
export async function lockFreeCustomers(tx: Db, customers: CustomerKey[]): Promise<CustomerKey[]> {
  const { rows } = await tx.$client.query<CustomerKey>({
    name: 'lock-free-customers',
    text: `select c.org_id as "orgId", c.id as "customerId"
      from (select distinct * from unnest($1::text[], $2::uuid[])) as k(org_id, id)
      join customers c on c.org_id = k.org_id and c.id = k.id
      order by c.org_id, c.id for update of c skip locked`,
    values: [customers.map((c) => c.orgId), customers.map((c) => c.customerId)],
  })
  return rows
}
