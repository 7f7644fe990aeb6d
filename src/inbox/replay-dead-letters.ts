import type { Db } from '../db/client.ts'

/** Also the size of the jobs, as in requeue-stranded. */
const BATCH = 100

export type ReplayAsk = {
  /** Only dead letters with a greater id. */
  after: number
  /** Most to replay. */
  limit: number
  /** Only those whose error holds this text. */
  reason: string | undefined
}

/**
 * Makes dead letters new again, due now, with a clean slate, oldest first, a transaction a batch of 100. None is
 * replayed twice by one run, and what dies again meanwhile is not met again. Told to the queue until that once
 * fails: the sweep for stranded deliveries finds the rest.
 * @returns how many, and the id to go on after when the limit was reached
 */
export async function replayDeadLetters(
  db: Db,
  { after, limit, reason }: ReplayAsk,
  enqueue: (ids: number[]) => Promise<boolean>,
): Promise<{ replayed: number; nextAfter: number | null }> {
  let replayed = 0
  let taken = true
  let place: number | null = after
  while (place !== null && replayed < limit) {
    const size = Math.min(BATCH, limit - replayed)
    const ids = await replayBatch(db, place, size, reason)
    replayed += ids.length
    if (ids.length > 0 && taken) taken = await enqueue(ids)
    place = ids.length === size ? (ids.at(-1) ?? null) : null
  }
  return { replayed, nextAfter: place }
}

async function replayBatch(
  db: Db,
  after: number,
  size: number,
  reason: string | undefined,
): Promise<number[]> {
  const { rows } = await db.$client.query<{ id: string }>({
    name: 'replay-dead-letters',
    text: `update inbox set state = 'new', due_at = now(), error = null, requeues = 0, attempts = 0
      where id = any(array(
        select id from inbox
        where state = 'dead' and id > $1 and ($3::text is null or position($3 in error) > 0)
        order by id limit $2 for update))
      returning id`,
    values: [after, size, reason],
  })
  return rows.map(({ id }) => Number(id)).sort((a, b) => a - b)
}
