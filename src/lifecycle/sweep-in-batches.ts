import { NIL } from 'uuid'
import { type AuditEvent, recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { inTransaction } from '../db/transaction.ts'
import { type ChangeKind, type Changes, countChange } from './changes.ts'
import { type CustomerKey, lockFreeCustomers } from './lock-free-customers.ts'

/**
 * Rows picked at a time. Who is routed meanwhile waits for one batch at most: 0.35 s was the longest wait in a
 * sweep of 100,000 of 1,000,000 chatrooms on two busy cores (test/bench/sweep.ts).
 */
export const BATCH = 1_000

/** A row that is due, named by its place in the order of the sweep: org, then `key`, then id. */
export type Picked = CustomerKey & { key: string; id: string }
export type Place = Pick<Picked, 'orgId' | 'key' | 'id'>

/** Told after each batch how many rows were changed so far. */
export type OnProgress = (done: number) => unknown

export type SweepEvent = AuditEvent & { kind: ChangeKind }

/**
 * In the statements of a sweep, `offset 0` fixes the order of joins: without statistics PostgreSQL took all chatrooms
 * for one, and read them for every customer. The nested loops also keep the order that `pick` promises.
 */
export type Sweep = {
  /** At most `BATCH` due rows of all orgs, in order, after a place. */
  pick(tx: Db, after: Place): Promise<Picked[]>
  /** Changes what is due, still or meanwhile, of these customers, who are locked; gives the audit to be written. */
  change(tx: Db, customers: CustomerKey[]): Promise<SweepEvent[]>
}

const START: Place = { orgId: '', key: '-infinity', id: NIL }

/**
 * Runs a sweep over all orgs, a transaction a batch, each batch picked after the last row of the one before: it ends
 * whatever is skipped. Any number may run at once, and one that dies loses its last batch only; a customer whom
 * somebody else holds is left to the next run.
 * @throws what a batch throws; the batches before it stay.
 */
export async function sweepInBatches(db: Db, sweep: Sweep, onProgress: OnProgress): Promise<Changes> {
  const changes: Changes = new Map()
  let done = 0
  for (let after: Place | undefined = START; after !== undefined; ) {
    const { events, last } = await runBatch(db, sweep, after)
    for (const { orgId, kind } of events) countChange(changes, orgId, kind)
    done += events.length
    after = last
    await onProgress(done)
  }
  return changes
}

/** `last` is undefined when there is nothing after this batch. */
async function runBatch(
  db: Db,
  { pick, change }: Sweep,
  after: Place,
): Promise<{ events: SweepEvent[]; last: Place | undefined }> {
  return inTransaction(db, async (tx) => {
    const picked = await pick(tx, after)
    const customers = await lockFreeCustomers(tx, picked)
    const events = await change(tx, customers)
    await recordEvents(tx, events)
    return { events, last: picked.length < BATCH ? undefined : picked.at(-1) }
  })
}
