import type { Db } from '../db/client.ts'

/**
 * Measures how many seconds this machine's clock is ahead of the database's; a negative number means behind. The
 * duration of the query is not counted as a difference, so a slow answer never causes a false alarm.
 * @param now gives this machine's time in milliseconds
 */
export async function measureSkew(db: Db, now: () => number): Promise<number> {
  const asked = performance.now()
  const { rows } = await db.$client.query<{ at: number }>({
    name: 'tell-time',
    text: 'select extract(epoch from clock_timestamp())::float8 * 1000 as at',
  })
  const halfway = (performance.now() - asked) / 2
  const ahead = now() - halfway - (rows[0]?.at ?? Number.NaN)
  return (Math.sign(ahead) * Math.max(0, Math.abs(ahead) - halfway)) / 1_000
}
