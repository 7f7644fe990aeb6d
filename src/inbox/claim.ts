import { bigintArray } from '../db/arrays.ts'
import type { Statement } from '../db/statement.ts'

export type Delivery = { id: number; body: Buffer; receivedAt: Date }

/** The deliveries that were claimed; `now` is the database's clock at the begin of the transaction. */
export type Claim = { deliveries: Delivery[]; now: Date }

type Row = { id: string; body: Buffer; receivedAt: Date; now: Date }

/**
 * Claims deliveries that are still to be routed, oldest first, and holds their rows until the transaction ends.
 * Deliveries that another worker holds, or has routed meanwhile, are left out.
 */
export function claimDeliveries(ids: number[]): Statement<Claim> {
  return {
    name: 'claim-deliveries',
    // `state || ''` hides the state from the planner: a plan made for an empty inbox would read all of `inbox_due`.
    text: `select id, body, received_at as "receivedAt", now() from inbox
      where id = any($1::bigint[]) and state || '' = 'new' order by id for update skip locked`,
    values: [bigintArray(ids)],
    read: (rows: Row[]) => ({
      deliveries: rows.map(({ id, body, receivedAt }) => ({ id: Number(id), body, receivedAt })),
      now: rows[0]?.now ?? new Date(0),
    }),
  }
}
