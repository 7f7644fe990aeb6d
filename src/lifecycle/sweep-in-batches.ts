import { NIL } from 'uuid'
import { type AuditEvent, recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { run, type Statement } from '../db/statement.ts'
import { inTransaction } from '../db/transaction.ts'
import { type ChangeKind, type Changes, countChange } from './changes.ts'

/**
 * Rows in a batch. Routing waits for one batch at most: in a sweep of 100,000 of 1,000,000 chatrooms on two busy cores
 * the longest wait was 0.35 s (test/bench/sweep.ts).
 */
export const BATCH = 1_000

/** A place in the order of a sweep in one org. */
export type Place = { key: string; id: string }

/** A row that is due, at its place. */
export type Picked = Place & { customerId: string }

/** Called after each batch with the number of rows changed so far; once with 0 when no row is due. */
export type OnProgress = (done: number) => unknown

export type SweepEvent = AuditEvent & { kind: ChangeKind }

/**
 * The statements of a sweep. Without statistics PostgreSQL takes a table for one row, and once read all chatrooms for
 * every customer; `offset 0` in a subquery keeps the joins in the order in which they are written.
 */
export type Sweep = {
  /** The orgs in which a row is due. */
  dueOrgs: Statement<string[]>
  /** At most `BATCH` due rows of an org, in order, after a place. */
  pick(orgId: string, after: Place): Statement<Picked[]>
  /** Changes the rows of these locked customers that are due now, and gives the audit. */
  change(orgId: string, customerIds: string[]): Statement<SweepEvent[]>
}

const START: Place = { key: '-infinity', id: NIL }

/**
 * Runs a sweep org by org, each batch in a transaction of its own. A batch begins behind the last row of the one before,
 * so the sweep ends whatever it skips. Any number of sweeps may run at once, and a sweep that dies loses one batch.
 * Customers that another transaction has locked are left to the next run.
 * @throws what a batch throws; the batches before it stay
 */
export async function sweepInBatches(db: Db, sweep: Sweep, onProgress: OnProgress): Promise<Changes> {
  const changes: Changes = new Map()
  let done = 0
  const orgIds = await run(db, sweep.dueOrgs)
  if (orgIds.length === 0) await onProgress(done)
  for (const orgId of orgIds) {
    for (let after: Place | undefined = START; after !== undefined; ) {
      const { events, last } = await runBatch(db, sweep, orgId, after)
      for (const { kind } of events) countChange(changes, orgId, kind)
      done += events.length
      after = last
      await onProgress(done)
    }
  }
  return changes
}

/** `last` is undefined when no row is due behind this batch. */
async function runBatch(
  db: Db,
  { pick, change }: Sweep,
  orgId: string,
  after: Place,
): Promise<{ events: SweepEvent[]; last: Place | undefined }> {
  return inTransaction(db, async (tx) => {
    const picked = await run(tx, pick(orgId, after))
    const customerIds = await run(tx, lockFreeCustomers(orgId, picked))
    const events = await run(tx, change(orgId, customerIds))
    await recordEvents(tx, events)
    return { events, last: picked.length < BATCH ? undefined : picked.at(-1) }
  })
}

/**
 * Locks those customers that no other transaction has locked, in the order of `lockCustomers`. Their chatrooms must be
 * read by a later statement.
 */
function lockFreeCustomers(orgId: string, picked: Picked[]): Statement<string[]> {
  return {
    name: 'lock-free-customers',
    text: `select id from customers where org_id = $1 and id = any($2::uuid[])
      order by id for update skip locked`,
    values: [orgId, picked.map((row) => row.customerId)],
    isEmpty: picked.length === 0,
    read: (rows: { id: string }[]) => rows.map(({ id }) => id),
  }
}
