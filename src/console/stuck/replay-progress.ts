import type { Db } from '../../db/client.ts'

/** What became of deliveries that were replayed: still under way, or dead again. The rest is routed or parked. */
export type ReplayProgress = { waiting: number; deadAgain: number }

const MOST = 10_000

/** Counts, up to 10,000 each, the deliveries with ids from `first` to `last` that are under way and that are dead. */
export async function replayProgress(db: Db, first: number, last: number): Promise<ReplayProgress> {
  const { rows } = await db.$client.query<ReplayProgress>({
    name: 'console-replay-progress',
    text: `select (select count(*) from (
          select from inbox where state = 'new' and id between $1 and $2 order by id limit ${MOST}) w)::int as waiting,
        (select count(*) from (
          select from inbox where state = 'dead' and id between $1 and $2 order by id limit ${MOST}) d)::int as "deadAgain"`,
    values: [first, last],
  })
  return rows[0] ?? { waiting: 0, deadAgain: 0 }
}
