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
  const lateFor = (ms: number) => {
    for (const end = clock.at + ms; clock.at < end; clock.at += 100) yielding.noteRouted(501)
  }
  return { ...yielding, clock, free, lateFor }
}

it('makes requests at once while routing keeps up', async () => {
  const { noteRouted, isHeldBack, free } = createWorld()
  noteRouted(500)
  expect(await free(10_000)).toBe(10_000)
  expect(isHeldBack()).toBe(false)
})

it('makes fewer requests the longer routing is late, and not less than a few', async () => {
  const madeAfter = (lateMs: number) => {
    const { lateFor, free } = createWorld()
    lateFor(lateMs)
    return free(1_000)
  }
  const [short, longer, long, longest] = await Promise.all([100, 300, 2_000, 10_000].map(madeAfter))
  expect(short).toBe(205)
  expect(longer).toBeLessThan(short!)
  expect(long).toBeLessThan(longer!)
  expect(longest).toBe(13)
  expect(long).toBe(longest)
})

it('makes those that had to wait together', async () => {
  const { clock, isHeldBack, mayWork, free, lateFor } = createWorld()
  lateFor(1_000)
  expect(await free(14)).toBe(13)
  expect(isHeldBack()).toBe(true)
  let made = 0
  for (let n = 0; n < 100; n += 1) void mayWork().then(() => (made += 1))
  clock.at += 100
  await expect.poll(() => made, { interval: 5 }).toBeGreaterThan(10)
  clock.at += 60_000
  await expect.poll(() => made).toBe(100)
})

it('makes more requests again, by addition, as soon as routing keeps up', async () => {
  const { clock, isHeldBack, free, lateFor } = createWorld()
  lateFor(1_000)
  clock.at += 1_000
  expect(await free(50)).toBe(50)
  clock.at += 10_000
  expect(await free(10_000)).toBe(10_000)
  expect(isHeldBack()).toBe(false)
})
