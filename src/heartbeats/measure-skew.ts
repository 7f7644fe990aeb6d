import type { Db } from '../db/client.ts'
import { run } from '../db/statement.ts'
import { clockSkew } from '../rules/clock-skew.ts'

/**
 * Measures how many seconds this machine's clock is ahead of the database's, as `clockSkew` counts it.
 * @param now gives this machine's time in milliseconds
 */
export async function measureSkew(db: Db, now: () => number): Promise<number> {
  const asked = performance.now()
  const database = await run(db, {
    name: 'tell-time',
    text: 'select extract(epoch from clock_timestamp())::float8 * 1000 as at',
    values: [],
    read: ([row]: { at: number }[]) => row?.at ?? Number.NaN,
  })
  return clockSkew({ database, machine: now(), tookMs: performance.now() - asked })
}
