import type { Db } from '../db/client.ts'

/** Requeued this often, a delivery is suspected of killing its worker, and goes alone from then on. */
const SUSPECT_AFTER = 3
/** A suspect is tried this often, at most once of it along with others, before it is a dead letter. */
const MAX_ATTEMPTS = 5

export type Stranded = { ids: number[]; suspects: number[] }

/**
 * Takes deliveries that were due for routing (10 s after receipt, then 1, 2, 4 ... minutes, at most 32) and are
 * still here: their job was lost, failed, or waits in a long queue. Enqueueing one twice does no harm. With a long
 * queue nobody is suspected: a backlog of suspects, who go alone, never came to an end (soak of 30 minutes).
 */
export async function takeStranded(db: Db, limit: number, queueIsLong: boolean): Promise<Stranded> {
  const { rows } = await db.$client.query<{ id: string; requeues: number }>({
    name: 'take-stranded',
    text: `update inbox i set requeues = least(requeues + $2, 1000),
        due_at = now() + interval '30 seconds' * 2 ^ least(requeues + 1, 6)
      where id in (
        select id from inbox where state = 'new' and due_at <= now()
        order by due_at limit $1 for update skip locked)
      returning id, requeues`,
    values: [limit, queueIsLong ? 0 : 1],
  })
  const of = (test: (requeues: number) => boolean) =>
    rows
      .filter((r) => test(r.requeues))
      .map((r) => Number(r.id))
      .sort((a, b) => a - b)
  const isSuspect = (requeues: number) => !queueIsLong && requeues > SUSPECT_AFTER
  return { ids: of((n) => !isSuspect(n)), suspects: of(isSuspect) }
}

/** Suspects to be tried together, so many tries after the first. */
export type SuspectGroup = { ids: number[]; attempts: number }

/**
 * Those of a killed worker's deliveries that are still to be routed, the least tried first: those that were never
 * suspected together, since nearly all of them are innocent; one that was, by itself.
 */
export async function readSuspects(db: Db, ids: number[]): Promise<SuspectGroup[]> {
  const { rows } = await db.$client.query<{ ids: string[]; attempts: number }>({
    name: 'read-suspects',
    text: `select array_agg(id order by id) as ids, attempts from inbox where id = any($1::bigint[]) and state = 'new'
      group by attempts, case when attempts > 0 then id end order by attempts, min(id)`,
    values: [ids],
  })
  return rows.map((row) => ({ ids: row.ids.map(Number), attempts: row.attempts }))
}

/**
 * Counts one more try of suspects, committed before the try, so that a worker they kill cannot forget it.
 * @returns those to be tried, and those that have had their tries and are dead letters now
 */
export async function countSuspectTries(db: Db, ids: number[]): Promise<Record<'tries' | 'dead', number[]>> {
  const { rows } = await db.$client.query<{ id: string; state: string }>({
    name: 'try-suspects',
    text: `update inbox set attempts = attempts + 1,
        state = case when attempts >= $2 then 'dead' else state end,
        error = case when attempts >= $2 then 'never finished in ' || attempts || ' tries' end
      where id in (select id from inbox where id = any($1::bigint[]) and state = 'new' order by id for update)
      returning id, state`,
    values: [ids, MAX_ATTEMPTS],
  })
  const of = (state: string) =>
    rows
      .filter((row) => row.state === state)
      .map((row) => Number(row.id))
      .sort((a, b) => a - b)
  return { tries: of('new'), dead: of('dead') }
}
