import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import type { Db } from '../../src/db/client.ts'
import { measureSkew } from '../../src/heartbeats/measure-skew.ts'
import { watchClock } from '../../src/heartbeats/watch-clock.ts'
import { createLogger } from '../../src/logger.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createTestDatabase } from '../support/database.ts'

const { db } = await createTestDatabase()

/** A clock that can be set, the calls that it caused, and the log. */
function watch(aheadSeconds: number, database: Db = db) {
  const clock = { aheadSeconds }
  const did: string[] = []
  const lines: { level: number; msg: string; skewSeconds: number }[] = []
  const metrics = createMetrics()
  const watched = watchClock({
    db: database,
    now: () => Date.now() + clock.aheadSeconds * 1_000,
    workers: { pause: () => void did.push('pause'), resume: () => void did.push('resume') },
    metrics,
    log: createLogger({ logLevel: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) }),
  })
  onTestFinished(watched.stop)
  return { ...watched, clock, did, lines, metrics }
}

test.each([60, 0, -60])('the skew of a clock %i s ahead of the database is measured', async (ahead) => {
  expect(await measureSkew(db, () => Date.now() + ahead * 1_000)).toBeCloseTo(ahead, -1)
})

test('the duration of the query does not count as skew', async () => {
  const slow = {
    $client: {
      query: async () => {
        await sleep(150)
        return { rows: [{ at: Date.now() }] }
      },
    },
  } as unknown as Db
  expect(await measureSkew(slow, Date.now)).toBeCloseTo(0, 1)
})

test('workers are paused before the first comparison, and resume after the first one without skew', async () => {
  const { did, lines, skew, metrics, expectRight } = watch(0)
  expect([did, skew()]).toEqual([['pause'], undefined])
  await expect.poll(() => did).toEqual(['pause', 'resume'])
  expect(lines).toEqual([])
  expect((await metrics.clockSkew.get()).values[0]?.value).toBeCloseTo(0, 0)
  await expectRight()
})

test('a skew of more than 1 s is logged as a warning, and the workers run', async () => {
  const { did, lines } = watch(4)
  await expect.poll(() => did).toEqual(['pause', 'resume'])
  expect(lines).toMatchObject([{ level: 40, skewSeconds: expect.closeTo(4, -1) }])
})

test.each([60, -60])(
  'a clock %i s ahead pauses the workers, logs one line, and resumes the workers when it is corrected',
  async (ahead) => {
    const { did, lines, clock, metrics, expectRight } = watch(ahead)
    await expect.poll(() => did.length).toBeGreaterThan(2)
    expect(new Set(did)).toEqual(new Set(['pause']))
    expect(lines).toMatchObject([{ level: 50, skewSeconds: expect.closeTo(ahead, -1) }])
    expect((await metrics.clockSkew.get()).values[0]?.value).toBeCloseTo(ahead, -1)
    await expect(expectRight()).rejects.toThrow('ahead of the database')
    clock.aheadSeconds = 0
    await expect.poll(() => did.at(-1)).toBe('resume')
    expect(lines.at(-1)?.msg).toContain('right again')
    await expectRight()
  },
)

test('the clock is compared again until the database answers', async () => {
  let tries = 0
  const late = {
    $client: {
      query: async () => {
        tries += 1
        if (tries === 1) throw new Error('away')
        return { rows: [{ at: Date.now() }] }
      },
    },
  } as unknown as Db
  const { did } = watch(0, late)
  await expect.poll(() => did).toEqual(['pause', 'resume'])
})
