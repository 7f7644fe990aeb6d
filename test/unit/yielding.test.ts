import { expect, it } from 'vitest'
import { createYielding } from '../../workers/webhooks/yielding.ts'

/** A clock that a test sets, and how many of the requests that ask at once may be made without waiting. */
function createWorld() {
  const clock = { at: 0 }
  const yielding = createYielding(() => clock.at)
  const free = async (requests: number) => {
    let made = 0
    for (let n = 0; n < requests; n += 1) void yielding.mayWork().then(() => (made += 1))
    await Promise.resolve()
    await Promise.resolve()
    return made
  }
  return { ...yielding, clock, free }
}

it('makes requests at once while routing keeps up', async () => {
  const { noteRouted, isLate, free } = createWorld()
  expect(await free(10)).toBe(10)
  noteRouted(700)
  expect(await free(10)).toBe(10)
  expect(isLate()).toBe(false)
})

/** When the requests that ask at once may be made, as numbers of slots after the first. */
async function slotsOf(requests: number, { mayWork }: Pick<ReturnType<typeof createWorld>, 'mayWork'>) {
  const began = performance.now()
  const waits = Array.from({ length: requests }, () => mayWork().then(() => performance.now() - began))
  const [first = 0, ...others] = await Promise.all(waits)
  return [0, ...others.map((end) => Math.round((end - first) / 250))]
}

const times = (count: number, slot: number) => Array.from({ length: count }, () => slot)

it('makes requests together at a time while routing is late, and all at once again soon afterwards', async () => {
  const { noteRouted, isLate, mayWork, free, clock } = createWorld()
  noteRouted(701)
  expect(isLate()).toBe(true)
  expect(await free(1)).toBe(0)
  expect(await slotsOf(20, { mayWork })).toEqual([...times(19, 0), 1])
  clock.at += 300
  expect(await free(10)).toBe(10)
})
