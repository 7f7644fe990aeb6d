import { AsyncLocalStorage } from 'node:async_hooks'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createAnnouncer } from '../../src/queue/announce.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function queue(open: boolean) {
  const jobs: number[][] = []
  const enqueue = async (ids: number[]) => {
    if (state.open) jobs.push(ids)
    return state.open
  }
  const state = { open, jobs, enqueue }
  return state
}

it('deliveries that are stored within 10 ms are enqueued as one job', async () => {
  const q = queue(true)
  const announcer = createAnnouncer(q.enqueue)
  announcer.announce([1])
  await vi.advanceTimersByTimeAsync(9)
  announcer.announce([2, 3])
  expect(q.jobs).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(q.jobs).toEqual([[1, 2, 3]])
  await vi.advanceTimersByTimeAsync(100)
  announcer.announce([4])
  await vi.advanceTimersByTimeAsync(10)
  expect(q.jobs).toEqual([[1, 2, 3], [4]])
})

it('deliveries that follow a batch within 25 ms are enqueued as one job', async () => {
  const q = queue(true)
  const announcer = createAnnouncer(q.enqueue)
  const batch = Array.from({ length: 10 }, (_, i) => i)
  announcer.announce(batch)
  await vi.advanceTimersByTimeAsync(10)
  announcer.announce([10])
  await vi.advanceTimersByTimeAsync(24)
  expect(q.jobs).toEqual([batch])
  await vi.advanceTimersByTimeAsync(1)
  expect(q.jobs).toEqual([batch, [10]])
})

it('a job belongs to the trace of its first delivery', async () => {
  const trace = new AsyncLocalStorage<string>()
  const seen: (string | undefined)[] = []
  const announcer = createAnnouncer(async () => {
    seen.push(trace.getStore())
    return true
  })
  for (const [i, name] of ['first', 'with it'].entries()) trace.run(name, () => announcer.announce([i]))
  await vi.advanceTimersByTimeAsync(10)
  expect(seen).toEqual(['first'])
})

it('closing enqueues the deliveries that are gathered', async () => {
  const q = queue(true)
  const announcer = createAnnouncer(q.enqueue)
  announcer.announce([1])
  announcer.announce([2])
  await announcer.close()
  expect(q.jobs).toEqual([[1, 2]])
})

it('deliveries that the queue refused are enqueued again, in jobs of 500, until the queue accepts them', async () => {
  const q = queue(false)
  const announcer = createAnnouncer(q.enqueue)
  const ids = Array.from({ length: 700 }, (_, i) => i)
  announcer.announce(ids.slice(0, 300))
  announcer.announce(ids.slice(300))
  await vi.advanceTimersByTimeAsync(1_600)
  expect(q.jobs).toEqual([])
  q.open = true
  await vi.advanceTimersByTimeAsync(500)
  expect(q.jobs.map((job) => job.length)).toEqual([500, 200])
  expect(q.jobs.flat()).toEqual(ids)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(q.jobs).toHaveLength(2)
})

it('at most 100,000 refused deliveries are remembered, and none after closing', async () => {
  const q = queue(false)
  const announcer = createAnnouncer(q.enqueue)
  announcer.announce(Array.from({ length: 100_000 }, (_, i) => i))
  await vi.advanceTimersByTimeAsync(25)
  announcer.announce([-1])
  await vi.advanceTimersByTimeAsync(25)
  q.open = true
  await vi.advanceTimersByTimeAsync(500)
  expect(q.jobs.flat()).toHaveLength(100_000)
  q.open = false
  announcer.announce([1])
  await vi.advanceTimersByTimeAsync(0)
  await announcer.close()
  q.open = true
  await vi.advanceTimersByTimeAsync(5_000)
  expect(q.jobs.flat()).toHaveLength(100_000)
})
