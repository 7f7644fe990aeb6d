import { bigintArray } from '../db/arrays.ts'
import type { Db } from '../db/client.ts'

export type Delivery = { id: number; body: Buffer; receivedAt: Date }

/**
 * Takes deliveries that are still to be routed, oldest first, and holds their rows until the transaction ends.
 * What another worker holds, or has routed meanwhile, is left out. `now` is the database's clock.
 */
export async function claimDeliveries(tx: Db, ids: number[]): Promise<{ deliveries: Delivery[]; now: Date }> {
  const { rows } = await tx.$client.query<{ id: string; body: Buffer; received_at: Date; now: Date }>({
    name: 'claim-deliveries',
    // Not plainly by its state: a plan made for an empty inbox would read all of `inbox_due` for each claim.
    text: `select id, body, received_at, now() from inbox
      where id = any($1::bigint[]) and state || '' = 'new' order by id for update skip locked`,
    values: [bigintArray(ids)],
  })
  const deliveries = rows.map((r) => ({ id: Number(r.id), body: r.body, receivedAt: r.received_at }))
  return { deliveries, now: rows[0]?.now ?? new Date(0) }
}
