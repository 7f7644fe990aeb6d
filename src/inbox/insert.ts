import type { Database } from '../db/client.ts'
import { bytea, columns } from '../db/columns.ts'
import { FLUSH, flushing, mayFlush } from '../db/durable.ts'
import { over, run, type Statement } from '../db/statement.ts'
import { commitEach } from '../db/transaction.ts'

type Inserted = { id: string }

const BODIES = columns<Buffer>({ body: bytea((body) => body) })
/** Ids follow the order of arrival: PostgreSQL knows that the ordinality is sorted, so the plan has no sort. */
const INSERT = `insert into inbox (body)
  select body from ${BODIES.as('arrived', { ordinality: 'place' })} order by place
  returning id`

/**
 * Stores a batch of deliveries; their ids, in the order of the bodies, are durable when it resolves.
 * @param timeoutMs of the query; it also closes the connection, which may be half open
 */
export async function insertBatch(
  db: Database['db'],
  bodies: Buffer[],
  timeoutMs: number,
): Promise<number[]> {
  const statement = { name: 'inbox-insert', text: INSERT, read: toIds }
  return run(db, { ...over(BODIES, bodies, statement), timeoutMs })
}

/** The `NOTIFY` channel for single deliveries. A payload is the delivery's id, a space, and its trace context. */
export const STORED_CHANNEL = 'usher_stored'

/**
 * As `insertBatch`, for a single delivery, and notifies the workers: 0.5 ms from commit to claim, where a job takes
 * 3 ms. The notification is a hint: when no worker listens, the job brings the delivery. Transactions that notify commit
 * one after another, so a batch does not.
 * Where the role may not flush, the body is stored as a batch of one.
 * @param trace the trace context that the worker continues
 */
export async function insertSingle(
  db: Database['db'],
  body: Buffer,
  timeoutMs: number,
  trace: string,
): Promise<number[]> {
  if (!(await mayFlush(db))) return insertBatch(db, [body], timeoutMs)
  const [ids] = await flushing(db, () =>
    commitEach(db, [
      { ...insertAndNotify(body, trace), timeoutMs },
      { ...FLUSH, timeoutMs },
    ]),
  )
  return ids
}

/**
 * This commit does not wait for the disk, so that a worker sees the row at once; `FLUSH` waits for both. All that the
 * worker does before the row is durable stands behind the row in the log, and so cannot outlive it.
 */
function insertAndNotify(body: Buffer, trace: string): Statement<number[]> {
  return {
    name: 'inbox-insert-single',
    text: `with stored as (insert into inbox (body) values ($1) returning id)
      select id, pg_notify('${STORED_CHANNEL}', id || ' ' || $2), set_config('synchronous_commit', 'off', true)
      from stored`,
    values: [body, trace],
    read: toIds,
  }
}

function toIds(rows: Inserted[]): number[] {
  return rows.map(({ id }) => Number(id))
}
