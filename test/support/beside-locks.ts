import pg from 'pg'
import { expect, onTestFinished } from 'vitest'
import { countDeadlocks } from './deadlocks.ts'
import { eventually } from './patience.ts'
import { waitingQueries } from './waiting-queries.ts'

/**
 * Does `work` while another transaction locks the row of the first customer, and then, when `work` waits for it, that of
 * the last. `lock` is the statement, with the customer's id as its parameter; `lastLock` the second one, where it is
 * another. Fails if PostgreSQL finds a deadlock.
 */
export async function besideLocks<T>(
  { pool, url, lock, lastLock = lock }: { pool: pg.Pool; url: string; lock: string; lastLock?: string },
  [first, last]: [string, string],
  work: () => Promise<T>,
): Promise<T> {
  const before = await countDeadlocks(pool)
  const rival = new pg.Client(url)
  await rival.connect()
  onTestFinished(() => rival.end())
  // PostgreSQL ends the transaction whose deadlock time-out is over first, which would be that of `work`.
  await rival.query(`set deadlock_timeout = '60s'`)
  await rival.query('begin')
  await rival.query(lock, [first])
  const working = work()
  working.catch(() => undefined)
  const waits = eventually(async () => (await waitingQueries(pool)).length > 0)
  await Promise.race([working, waits])
  await rival.query(lastLock, [last])
  await rival.query('commit')
  const result = await working
  expect(await countDeadlocks(pool), 'deadlocks').toBe(before)
  return result
}
