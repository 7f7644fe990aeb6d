import { and, desc, eq, lt, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { inbox } from '../db/schema/inbox.ts'

/** A delivery that could not be routed, without its body. */
export type DeadLetter = {
  id: number
  received_at: Date
  error: string | null
  /** Length of the body. */
  bytes: number
  requeues: number
}

const IS_DEAD = sql`${inbox.state} = 'dead'`
const SUMMARY = {
  id: inbox.id,
  received_at: inbox.receivedAt,
  error: inbox.error,
  bytes: sql<number>`octet_length(${inbox.body})`,
  requeues: inbox.requeues,
}

/** Dead letters, newest first, without their bodies; `before` is the last id of the previous page. */
export async function listDeadLetters(
  db: Db,
  { before, limit }: { before?: number | undefined; limit: number },
): Promise<DeadLetter[]> {
  return db
    .select(SUMMARY)
    .from(inbox)
    .where(and(IS_DEAD, before === undefined ? undefined : lt(inbox.id, before)))
    .orderBy(desc(inbox.id))
    .limit(limit)
}

/** One dead letter with its exact bytes in base64; undefined when there is none of this id. */
export async function readDeadLetter(
  db: Db,
  id: number,
): Promise<(DeadLetter & { body: string }) | undefined> {
  const [row] = await db
    .select({ ...SUMMARY, body: inbox.body })
    .from(inbox)
    .where(and(IS_DEAD, eq(inbox.id, id)))
  return row && { ...row, body: row.body.toString('base64') }
}

/**
 * Makes a dead letter new again and due now, with its counters reset; false when there is none of this id. The caller
 * enqueues it; when that fails, `requeueStranded` finds it.
 */
export async function replayDeadLetter(db: Db, id: number): Promise<boolean> {
  const { rowCount } = await db
    .update(inbox)
    .set({ state: 'new', dueAt: sql`now()`, error: null, requeues: 0, attempts: 0 })
    .where(and(IS_DEAD, eq(inbox.id, id)))
  return rowCount === 1
}
