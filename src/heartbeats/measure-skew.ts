import type { Db } from '../db/client.ts'
import { run } from '../db/statement.ts'

/**
 * Measures how many seconds this machine's clock is ahead of the database's; a negative number means behind. The
 * duration of the query is not counted as a difference, so a slow answer never causes a false alarm.
 * @param now gives this machine's time in milliseconds
 */
export async function measureSkew(db: Db, now: () => number): Promise<number> {
  const asked = performance.now()
  const theirs = await run(db, {
    name: 'tell-time',
    text: 'select extract(epoch from clock_timestamp())::float8 * 1000 as at',
    values: [],
    read: ([row]: { at: number }[]) => row?.at ?? Number.NaN,
  })
  const halfway = (performance.now() - asked) / 2
  const ahead = now() - halfway - theirs
  return (Math.sign(ahead) * Math.max(0, Math.abs(ahead) - halfway)) / 1_000
}
