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

it('makes a few requests together at a time while routing is late, and all at once again 300 ms later', async () => {
  const { noteRouted, isLate, mayWork, free, clock } = createWorld()
  noteRouted(701)
  expect(isLate()).toBe(true)
  expect(await free(10)).toBe(0)
  const began = performance.now()
  const waits = Array.from({ length: 21 }, () => mayWork().then(() => performance.now() - began))
  const ends = await Promise.all(waits)
  expect(ends.at(9)! - ends[0]!).toBeLessThan(100)
  expect(ends.at(-1)! - ends[0]!).toBeGreaterThan(200)
  clock.at += 300
  expect(await free(10)).toBe(10)
})
