import { type AuditEvent, recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { columns, text, uuid } from '../db/columns.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { run, type Statement } from '../db/statement.ts'
import type { CustomerKey } from '../identity/lock-customers.ts'
import { type ChangeKind, type Changes, countChange } from './changes.ts'

/**
 * Rows in a batch. Routing waits for one batch at most: in a sweep of 100,000 of 1,000,000 chatrooms on two busy cores
 * the longest wait was 0.35 s (test/bench/sweep.ts).
 */
export const BATCH = 1_000

/** Called after each batch with the number of rows changed so far. */
export type OnProgress = (done: number) => unknown

export type SweepEvent = AuditEvent & { kind: ChangeKind }

/**
 * The statements of a sweep, over all orgs. Without statistics PostgreSQL takes a table for one row, and once read all
 * chatrooms for every customer; `offset 0` in a subquery keeps the joins in the order in which they are written.
 */
export type Sweep = {
  /**
   * Takes at most `BATCH` due rows and locks their customers; gives the customer of each row. It skips customers that
   * another transaction has locked, so it never waits and needs no order of locks.
   */
  lock: Statement<CustomerKey[]>
  /** Changes the rows of these locked customers that are due now, and gives the audit. */
  change(customers: CustomerKey[]): Statement<SweepEvent[]>
}

const CUSTOMERS = columns<CustomerKey>({ org_id: text((k) => k.orgId), id: uuid((k) => k.id) })

/** Customers as the table `k` (org_id, id), each once; their arrays are the parameters $2 and $3. */
export const LOCKED_CUSTOMERS = `(select distinct * from ${CUSTOMERS.as('u', { first: 2 })}) k`

/** The parameters of `LOCKED_CUSTOMERS`. */
export function lockedCustomers(customers: CustomerKey[]): Buffer[] {
  return CUSTOMERS.values(customers)
}

/**
 * Runs a sweep, each batch in a transaction of its own, until a batch is not full. Any number of sweeps may run at
 * once, and a sweep that dies loses one batch. Customers that another transaction has locked are left to the next run.
 * @throws what a batch throws; the batches before it stay
 */
export async function sweepInBatches(db: Db, sweep: Sweep, onProgress: OnProgress): Promise<Changes> {
  const changes: Changes = new Map()
  let done = 0
  for (let isFull = true; isFull; ) {
    const { picked, events } = await inRetriedTransaction(db, (tx) => runBatch(tx, sweep))
    for (const { orgId, kind } of events) countChange(changes, orgId, kind)
    done += events.length
    // Rows that changed between lock and change are not due any more; without progress the next run goes on.
    isFull = picked === BATCH && events.length > 0
    await onProgress(done)
  }
  return changes
}

async function runBatch(tx: Db, { lock, change }: Sweep): Promise<{ picked: number; events: SweepEvent[] }> {
  const customers = await run(tx, lock)
  const events = await run(tx, change(customers))
  await recordEvents(tx, events)
  return { picked: customers.length, events }
}
