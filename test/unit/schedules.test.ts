import { expect, test, vi } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import type { Producer } from '../../src/queue/producer.ts'
import { keepSchedules } from '../../src/queue/schedules.ts'

const log = createLogger({ logLevel: 'silent' })

test('a schedule is written if it is missing, changed, overdue or too far ahead, and a failed write is repeated', async (t) => {
  vi.useFakeTimers()
  t.onTestFinished(() => void vi.useRealTimers())
  const upserts: unknown[][] = []
  let stored: { every: number; next: number } | undefined
  let down = true
  const queue = {
    getJobScheduler: async () => stored,
    removeJobScheduler: async () => {
      stored = undefined
    },
    upsertJobScheduler: async (...args: [string, { every: number }, object]) => {
      if (down) throw new Error('away')
      upserts.push(args)
      stored = { every: args[1].every, next: Date.now() + args[1].every }
    },
  } as unknown as NonNullable<ReturnType<Producer['queue']>>
  let current: typeof queue | undefined
  const kept = keepSchedules(() => current, [{ name: 'tidy', every: 10_000 }], log)
  t.onTestFinished(kept.stop)
  const upsertsWithin = async (ms: number) => {
    upserts.length = 0
    await vi.advanceTimersByTimeAsync(ms)
    return upserts.length
  }
  expect(await upsertsWithin(5_000)).toBe(0)
  current = queue
  expect(await upsertsWithin(5_000)).toBe(0)
  down = false
  expect(await upsertsWithin(1_000)).toBe(1)
  const opts = { removeOnComplete: { count: 100 }, removeOnFail: { count: 500 } }
  expect(upserts[0]).toEqual(['tidy', { every: 10_000 }, { name: 'tidy', data: {}, opts }])

  stored = { every: 10_000, next: Date.now() + 39_000 }
  expect(await upsertsWithin(68_000)).toBe(0)
  stored.next = Date.now() - 31_000
  expect(await upsertsWithin(25_000)).toBe(1)
  stored.next = Date.now() + 3_600_000
  expect(await upsertsWithin(25_000)).toBe(1)
  stored = { every: 60_000, next: Date.now() + 100_000 }
  expect(await upsertsWithin(25_000)).toBe(1)
  stored = undefined
  expect(await upsertsWithin(25_000)).toBe(1)
  kept.stop()
  stored = undefined
  expect(await upsertsWithin(100_000)).toBe(0)
})
