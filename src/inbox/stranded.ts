import { bigintArray } from '../db/arrays.ts'
import type { Db } from '../db/client.ts'
import { nothing, run } from '../db/statement.ts'

/** A delivery that was requeued more often than this is suspected of killing its worker, and gets a job of its own. */
const SUSPECT_AFTER = 3
/** After this many tries, of which at most one was in a batch, a suspect becomes a dead letter. A fault of the database is no try. */
const MAX_ATTEMPTS = 5

export type Stranded = { ids: number[]; suspects: number[] }

/**
 * Takes deliveries that were due for routing (10 s after receipt, then after 1, 2, at most 4 minutes, for as long as a fault lasts) and are
 * still in the inbox: their job was lost, failed, or waits in a long queue. Enqueueing a delivery twice does no harm.
 * With a long queue no delivery becomes a suspect: suspects are routed one at a time, which is slower than new ones
 * come.
 */
export async function takeStranded(db: Db, limit: number, queueIsLong: boolean): Promise<Stranded> {
  const rows = await run(db, {
    name: 'take-stranded',
    text: `update inbox i set requeues = least(requeues + $2, 1000),
        due_at = now() + interval '30 seconds' * 2 ^ least(requeues + 1, 3)
      where id in (
        select id from inbox where state = 'new' and due_at <= now()
        order by due_at limit $1 for update skip locked)
      returning id, requeues`,
    values: [limit, queueIsLong ? 0 : 1],
    read: (taken: { id: string; requeues: number }[]) => taken,
  })
  const isSuspect = ({ requeues }: { requeues: number }) => !queueIsLong && requeues > SUSPECT_AFTER
  return { ids: idsOf(rows.filter((row) => !isSuspect(row))), suspects: idsOf(rows.filter(isSuspect)) }
}

/** Suspects that are tried together; `attempts` is how often each was tried before. */
export type SuspectGroup = { ids: number[]; attempts: number }

/**
 * The deliveries of a dead worker's job that are still to be routed, those with the fewest attempts first. Deliveries
 * without an attempt form one group, since nearly all of them are innocent; any other one is a group of its own.
 */
export function readSuspects(db: Db, ids: number[]): Promise<SuspectGroup[]> {
  return run(db, {
    name: 'read-suspects',
    text: `select array_agg(id order by id) as ids, attempts from inbox
      where id = any($1::bigint[]) and state = 'new'
      group by attempts, case when attempts > 0 then id end order by attempts, min(id)`,
    values: [bigintArray(ids)],
    read: (groups: { ids: string[]; attempts: number }[]) =>
      groups.map((group) => ({ ids: group.ids.map(Number), attempts: group.attempts })),
  })
}

/**
 * Counts an attempt of suspects and commits before the attempt begins, so that it counts even when it kills the worker.
 * @returns the suspects to try, and those that used up their attempts and are dead letters now
 */
export async function countSuspectTries(db: Db, ids: number[]): Promise<Record<'tries' | 'dead', number[]>> {
  const rows = await run(db, {
    name: 'try-suspects',
    text: `update inbox set attempts = attempts + 1,
        state = case when attempts >= $2 then 'dead' else state end,
        error = case when attempts >= $2 then 'never finished in ' || attempts || ' tries' end
      where id in (select id from inbox where id = any($1::bigint[]) and state = 'new' order by id for update)
      returning id, state`,
    values: [bigintArray(ids), MAX_ATTEMPTS],
    read: (suspects: { id: string; state: string }[]) => suspects,
  })
  const inState = (state: string) => idsOf(rows.filter((row) => row.state === state))
  return { tries: inState('new'), dead: inState('dead') }
}

/**
 * Takes back an attempt of suspects that ended because of the database, not because of their content: a long lock, a full
 * disk or a lost connection must not make dead letters of deliveries that were acknowledged.
 */
export function takeBackTries(db: Db, ids: number[]): Promise<void> {
  return run(db, {
    name: 'take-back-tries',
    text: `update inbox set attempts = greatest(attempts - 1, 0)
      where id in (select id from inbox where id = any($1::bigint[]) and state = 'new' order by id for update)`,
    values: [bigintArray(ids)],
    read: nothing,
  })
}

function idsOf(rows: { id: string }[]): number[] {
  return rows.map(({ id }) => Number(id)).sort((a, b) => a - b)
}
