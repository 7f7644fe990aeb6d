import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, it } from 'vitest'
import { createGatherer } from '../../src/queue/gather.ts'

/** Work that ends when the test ends it. */
function heldWork() {
  const groups: number[][] = []
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = []
  const work = (ids: number[]) => {
    groups.push(ids)
    return new Promise<void>((resolve, reject) => ends.push({ resolve, reject }))
  }
  return { groups, ends, work }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

it('a job starts at once while a slot is free', () => {
  const { groups, work } = heldWork()
  const gather = createGatherer(work, { slots: 2, most: 10 })
  void gather([1])
  void gather([2])
  void gather([3])
  expect(groups).toEqual([[1], [2]])
})

it('jobs that arrive while all slots are busy are joined in the order of arrival, up to the limit', async () => {
  const { groups, ends, work } = heldWork()
  const gather = createGatherer(work, { slots: 1, most: 5 })
  for (const ids of [[1], [2, 3], [4, 5], [6], [7, 8]]) void gather(ids)
  ends[0]?.resolve()
  await nextTurn()
  expect(groups).toEqual([[1], [2, 3, 4, 5, 6]])
  ends[1]?.resolve()
  await nextTurn()
  expect(groups[2]).toEqual([7, 8])
})

it('few ids wait for the end of a batch under way, and not for longer than they may', async () => {
  const { groups, ends, work } = heldWork()
  const gather = createGatherer(work, { slots: 3, most: 10, together: { ids: 3, waitMs: 30 } })
  for (const id of [1, 2, 3]) void gather([id])
  expect(groups).toEqual([[1]])
  void gather([4])
  expect(groups).toEqual([[1], [2, 3, 4]])
  void gather([5])
  ends[0]?.resolve()
  ends[1]?.resolve()
  await nextTurn()
  expect(groups[2]).toEqual([5])
  const asked = performance.now()
  void gather([6])
  void gather([7])
  expect(groups).toHaveLength(3)
  await expect.poll(() => groups.at(-1)).toEqual([6, 7])
  expect(performance.now() - asked).toBeGreaterThanOrEqual(29)
  ends[2]?.resolve()
  await nextTurn()
  void gather([8, 9, 10])
  expect(groups.at(-1)).toEqual([8, 9, 10])
})

it('a job above the limit is worked on alone', async () => {
  const { groups, ends, work } = heldWork()
  const gather = createGatherer(work, { slots: 1, most: 2 })
  for (const ids of [[1], [2, 3, 4], [5]]) void gather(ids)
  ends[0]?.resolve()
  await nextTurn()
  ends[1]?.resolve()
  await nextTurn()
  expect(groups).toEqual([[1], [2, 3, 4], [5]])
})

it('each job ends as its group ended, and the next group starts after a failure', async () => {
  const { groups, ends, work } = heldWork()
  const gather = createGatherer(work, { slots: 1, most: 5 })
  const first = gather([1])
  const [second, third] = [gather([2]), gather([3])]
  ends[0]?.resolve()
  await first
  await nextTurn()
  ends[1]?.reject(new Error('deadlock'))
  await expect(second).rejects.toThrow('deadlock')
  await expect(third).rejects.toThrow('deadlock')
  await nextTurn()
  void gather([4])
  expect(groups).toEqual([[1], [2, 3], [4]])
})

it('a group belongs to the trace of its first job', async () => {
  const trace = new AsyncLocalStorage<string>()
  const seen: (string | undefined)[] = []
  const { ends, work } = heldWork()
  const traced = (ids: number[]) => {
    seen.push(trace.getStore())
    return work(ids)
  }
  const gather = createGatherer(traced, { slots: 1, most: 5 })
  for (const [i, name] of ['alone', 'first', 'second'].entries()) trace.run(name, () => void gather([i]))
  ends[0]?.resolve()
  await nextTurn()
  expect(seen).toEqual(['alone', 'first'])
})
