import type { Db } from '../db/client.ts'
import { rowCount, run } from '../db/statement.ts'
import { IDEMPOTENCY_KEPT } from '../rules/retention.ts'
import { firstUuidOf } from '../rules/uuid-time.ts'
import { BATCH, type OnProgress } from './sweep-in-batches.ts'

/** The number of rows of each kind that were deleted; `buried`: deliveries that became dead letters. */
export type Purged = {
  idempotencyKeys: number
  rateLimits: number
  outbox: number
  earlyStatuses: number
  buried: number
}

/** Never later than the database's clock: clients were promised that their idempotency keys are kept for 24 h. */
const AS_OF = 'least($1::timestamptz, now())'

/**
 * Each statement takes one batch of rows that no other transaction has locked. It deletes by `ctid`, which the lock
 * makes safe: without statistics, a join by key would read the whole table again.
 */
const STATEMENTS: Record<keyof Purged, string> = {
  idempotencyKeys: `delete from idempotency_keys where ctid = any(array(
      select ctid from idempotency_keys where created_at <= ${AS_OF} - interval '${IDEMPOTENCY_KEPT}'
      order by created_at limit ${BATCH} for update skip locked))`,
  rateLimits: `delete from rate_limits where ctid = any(array(
      select ctid from rate_limits where expire <= extract(epoch from ${AS_OF}) * 1000
      limit ${BATCH} for update skip locked))`,
  outbox: `delete from outbox where ctid = any(array(
      select old.ctid from orgs o
      cross join lateral (
        select b.ctid from outbox b
        where b.org_id = o.id and b.id < ${firstUuidOf(`${AS_OF} - interval '30 days'`)}
          and b.state in ('sent', 'failed') and b.created_at <= ${AS_OF} - interval '30 days'
        order by b.id limit ${BATCH} for update skip locked) old
      limit ${BATCH}))`,
  earlyStatuses: `delete from early_statuses where ctid = any(array(
      select ctid from early_statuses where received_at <= ${AS_OF} - interval '1 day'
      order by received_at limit ${BATCH} for update skip locked))`,
  buried: `update inbox set state = 'dead', parked_for = null, error = 'never provisioned' where ctid = any(array(
      select ctid from inbox where state = 'parked' and received_at <= ${AS_OF} - interval '30 days'
      limit ${BATCH} for update skip locked))`,
}

/**
 * Deletes idempotency keys after 24 h, rate limits that have ended, early statuses after a day, and sends that
 * ended as sent or failed after 30 days. Deliveries that are parked for 30 days become dead letters. Nothing else is ever deleted.
 * @param at the time to judge by, at most the database's clock; undefined: that clock
 */
export async function purge(
  db: Db,
  at: Date | undefined,
  onProgress: OnProgress = () => undefined,
): Promise<Purged> {
  const purged: Purged = { idempotencyKeys: 0, rateLimits: 0, outbox: 0, earlyStatuses: 0, buried: 0 }
  let done = 0
  for (const kind of Object.keys(purged) as (keyof Purged)[]) {
    for (let full = true; full; ) {
      const rows = await run(db, {
        name: `purge-${kind}`,
        text: STATEMENTS[kind],
        values: [at],
        read: rowCount,
      })
      purged[kind] += rows
      done += rows
      full = rows === BATCH
      await onProgress(done)
    }
  }
  return purged
}
