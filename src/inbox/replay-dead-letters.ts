import type { Db } from '../db/client.ts'
import { run, type Statement } from '../db/statement.ts'

/** SQL: what makes a dead letter new again and due now, with its counters reset. */
export const REPLAYED = `state = 'new', due_at = now(), error = null, requeues = 0, attempts = 0`

/** Rows in a transaction, and in a job. */
const BATCH = 100

export type ReplayRequest = {
  /** Only dead letters with a greater id. */
  after: number
  /** Most to replay. */
  limit: number
  /** Only dead letters whose error contains this text. */
  reason: string | undefined
}

/**
 * Makes dead letters new again and due now, with their counters reset, oldest first, in transactions of 100 rows. One
 * run replays each dead letter once, also when it dies again meanwhile. After an enqueue that failed, the rest is left
 * to `requeueStranded`, which finds due rows without a job.
 * @returns how many were replayed, and the id to continue after when the limit was reached
 */
export async function replayDeadLetters(
  db: Db,
  { after, limit, reason }: ReplayRequest,
  enqueue: (ids: number[]) => Promise<boolean>,
): Promise<{ replayed: number; nextAfter: number | null }> {
  let replayed = 0
  let queueAnswers = true
  let place: number | null = after
  while (place !== null && replayed < limit) {
    const size = Math.min(BATCH, limit - replayed)
    const ids: number[] = await run(db, replayBatch(place, size, reason))
    replayed += ids.length
    if (ids.length > 0 && queueAnswers) queueAnswers = await enqueue(ids)
    place = ids.length === size ? (ids.at(-1) ?? null) : null
  }
  return { replayed, nextAfter: place }
}

function replayBatch(after: number, size: number, reason: string | undefined): Statement<number[]> {
  return {
    name: 'replay-dead-letters',
    text: `update inbox set ${REPLAYED}
      where id = any(array(
        select id from inbox
        where state = 'dead' and id > $1 and ($3::text is null or position($3 in error) > 0)
        order by id limit $2 for update))
      returning id`,
    values: [after, size, reason],
    read: (rows: { id: string }[]) => rows.map(({ id }) => Number(id)).sort((a, b) => a - b),
  }
}
