import type { Db } from '../../db/client.ts'
import { run } from '../../db/statement.ts'

/** How many replayed deliveries still wait for a worker, and how many are dead again. The rest is routed or parked. */
export type ReplayProgress = { waiting: number; deadAgain: number }

const MAX_COUNT = 10_000

/** Counts the deliveries with ids from `first` to `last` that are waiting or dead, up to 10,000 of each. */
export function replayProgress(db: Db, first: number, last: number): Promise<ReplayProgress> {
  return run(db, {
    name: 'console-replay-progress',
    text: `select (select count(*) from (
          select from inbox where state = 'new' and id between $1 and $2 order by id limit ${MAX_COUNT}) w)::int as waiting,
        (select count(*) from (
          select from inbox where state = 'dead' and id between $1 and $2 order by id limit ${MAX_COUNT}) d)::int as "deadAgain"`,
    values: [first, last],
    read: ([counts]: ReplayProgress[]) => counts ?? { waiting: 0, deadAgain: 0 },
  })
}
