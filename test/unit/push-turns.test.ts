import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { LANES } from '../../src/event-push/plan-lanes.ts'
import type { Progress } from '../../src/event-push/record-progress.ts'
import type { TakenLane } from '../../src/event-push/take-lanes.ts'
import { NO_TRACES } from '../../src/tracing/tracing.ts'
import { createRecorder } from '../../workers/webhooks/recorder.ts'
import { createPushTurns } from '../../workers/webhooks/turns.ts'

const endpoint = (endpointId: string) => ({ orgId: 'org', endpointId })
const laneOf = (endpointId: string) => ({ ...endpoint(endpointId) }) as TakenLane

/** Endpoints with so many lanes that have events; what each take asked for; and the pushes, which `end` ends. */
function createWorld(lanes: Record<string, number>, slots: number) {
  const asked: [string, number][] = []
  const running: { endpointId: string; end(isMore?: boolean): void }[] = []
  const errors: unknown[] = []
  const turns = createPushTurns({
    async take(endpoints, most) {
      asked.push([endpoints.map(({ endpointId }) => endpointId).join(), most])
      if (endpoints.some(({ endpointId }) => lanes[endpointId] === undefined)) throw new Error('away')
      let left = most
      return endpoints.map(({ endpointId }) => {
        const count = Math.min(left, LANES, lanes[endpointId]!)
        lanes[endpointId]! -= count
        left -= count
        return {
          lanes: Array.from({ length: count }, () => laneOf(endpointId)),
          isMore: lanes[endpointId]! > 0,
          ...{ isPending: false, isSealed: false },
        }
      })
    },
    push: ({ endpointId }) =>
      new Promise((resolve) => running.push({ endpointId, end: (isMore = false) => resolve(isMore) })),
    slots,
    tracing: NO_TRACES,
    onError: (error) => void errors.push(error),
  })
  const runningOf = (endpointId: string) => running.filter((one) => one.endpointId === endpointId).length
  return { turns, asked, running, runningOf, errors }
}

it('takes nothing until it is resumed, and nothing more when it is paused', async () => {
  const { turns, asked, running } = createWorld({ a: 1, b: 1 }, 8)
  turns.add([endpoint('a')])
  await sleep(5)
  expect(asked).toEqual([])
  turns.resume()
  await expect.poll(() => running.length).toBe(1)
  turns.pause()
  turns.add([endpoint('b')])
  await sleep(5)
  expect(running).toHaveLength(1)
  running[0]!.end()
  await turns.rest()
})

it('leaves slots to other endpoints, however many lanes the first one has and however long it holds them', async () => {
  const { turns, running, runningOf } = createWorld({ slow: LANES, other: 1, third: 1 }, 64)
  turns.resume()
  turns.add([endpoint('slow')])
  await expect.poll(() => runningOf('slow')).toBe(LANES)
  turns.add([endpoint('other'), endpoint('third')])
  await expect.poll(() => [runningOf('other'), runningOf('third')]).toEqual([1, 1])
  turns.pause()
  for (const one of running) one.end()
  await turns.rest()
})

it('looks at an endpoint again when one of its lanes ends with more to take', async () => {
  const { turns, asked, running } = createWorld({ a: 1 }, 8)
  turns.resume()
  turns.add([endpoint('a')])
  await expect.poll(() => running.length).toBe(1)
  running[0]!.end(true)
  await expect.poll(() => asked.length).toBe(2)
})

it('takes of an endpoint one after another, since they would wait for the same lock', async () => {
  const ends: (() => void)[] = []
  let most = 0
  let running = 0
  const turns = createPushTurns({
    async take(endpoints) {
      running += 1
      most = Math.max(most, running)
      await new Promise<void>((resolve) => ends.push(resolve))
      running -= 1
      return endpoints.map(() => ({ lanes: [], isMore: false, isPending: false, isSealed: false }))
    },
    push: async () => false,
    ...{ slots: 8, tracing: NO_TRACES, onError: () => {} },
  })
  turns.resume()
  for (let n = 0; n < 3; n += 1) turns.add([endpoint('a')])
  turns.add([endpoint('b')])
  await expect.poll(() => ends.length).toBe(2)
  ends[0]!()
  await expect.poll(() => ends.length).toBe(3)
  for (const end of ends) end()
  await turns.rest()
  expect(most).toBe(2)
})

it('takes of all that wait together, and of one whose take failed alone, so that it delays no other', async () => {
  const { turns, asked, running } = createWorld({ a: 2, b: 2 }, 64)
  turns.add(['a', 'poison', 'b'].map(endpoint))
  turns.resume()
  await expect.poll(() => running.length).toBe(4)
  turns.add(['a', 'poison', 'b'].map(endpoint))
  const together = asked.filter(([ids]) => ids.includes(','))
  expect(together.map(([ids]) => ids)).toEqual(['a,poison,b', 'a,b'])
  turns.pause()
  for (const one of running) one.end()
  await turns.rest()
})

it('takes of few endpoints together when few slots are free', async () => {
  const { turns, asked, running } = createWorld({ a: 2, b: 2, c: 2 }, 16)
  turns.add(['a', 'b', 'c'].map(endpoint))
  turns.resume()
  await expect.poll(() => running.length).toBe(6)
  expect(asked.map(([ids]) => ids)).toEqual(['a,b', 'c'])
  turns.pause()
  for (const one of running) one.end()
  await turns.rest()
})

it('tries again when a take fails', async () => {
  const { turns, asked, errors } = createWorld({}, 8)
  turns.resume()
  turns.add([endpoint('a')])
  await expect.poll(() => asked.length).toBe(2)
  expect(errors[0]).toBeInstanceOf(Error)
  turns.pause()
  await turns.rest()
})

it('progress that comes within the window, or while some is being written, is written together', async () => {
  const batches: number[][] = []
  let release: (() => void) | undefined
  const record = createRecorder(async (all) => {
    batches.push(all.map(({ lane }) => lane))
    await new Promise<void>((resolve) => {
      release = resolve
    })
    return all.map(({ lane }) => (lane === 3 ? 'lost' : 'behind'))
  }, 20)
  const recordLanes = (...lanes: number[]) => lanes.map((lane) => record({ lane } as Progress))
  const results = recordLanes(1, 2)
  await expect.poll(() => batches).toEqual([[1, 2]])
  results.push(...recordLanes(3, 4))
  release?.()
  await expect
    .poll(() => batches)
    .toEqual([
      [1, 2],
      [3, 4],
    ])
  release?.()
  expect(await Promise.all(results)).toEqual(['behind', 'behind', 'lost', 'behind'])
})

it('a record that fails fails for all that it holds, and the next one is written', async () => {
  let isAway = true
  const record = createRecorder(async (all) => {
    if (isAway) throw new Error('away')
    return all.map(() => 'at_head')
  }, 0)
  await expect(record({ lane: 1 } as Progress)).rejects.toThrow('away')
  isAway = false
  expect(await record({ lane: 1 } as Progress)).toBe('at_head')
})
