import type { Db } from '../db/client.ts'

/** Requeued this often, a delivery is suspected of killing its worker, and goes alone from then on. */
const SUSPECT_AFTER = 3
/** A suspect is tried this often before it is a dead letter. */
const MAX_ATTEMPTS = 5

export type Stranded = { ids: number[]; suspects: number[] }

/**
 * Takes deliveries that were due for routing (30 s after receipt, then 1, 2, 4 ... minutes, at most 32) and are
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

/** Those of a killed worker's deliveries that are still to be routed, the least tried first. */
export async function readSuspects(db: Db, ids: number[]): Promise<{ id: number; attempts: number }[]> {
  const { rows } = await db.$client.query<{ id: string; attempts: number }>({
    name: 'read-suspects',
    text: `select id, attempts from inbox where id = any($1::bigint[]) and state = 'new' order by attempts, id`,
    values: [ids],
  })
  return rows.map(({ id, attempts }) => ({ id: Number(id), attempts }))
}

/**
 * Counts one more try of a suspect, committed before the try, so that a worker it kills cannot forget it.
 * @returns `try`; `dead` when it has had its tries and is a dead letter now; `gone` when it needs none any more.
 */
export async function countSuspectTry(db: Db, id: number): Promise<'try' | 'dead' | 'gone'> {
  const { rows } = await db.$client.query<{ state: string }>({
    name: 'try-suspect',
    text: `update inbox set attempts = attempts + 1,
        state = case when attempts >= $2 then 'dead' else state end,
        error = case when attempts >= $2 then 'never finished in ' || attempts || ' tries of its own' end
      where id = $1 and state = 'new' returning state`,
    values: [id, MAX_ATTEMPTS],
  })
  const state = rows[0]?.state
  return state === 'new' ? 'try' : state === 'dead' ? 'dead' : 'gone'
}
