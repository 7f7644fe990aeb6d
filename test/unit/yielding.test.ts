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
    for (const end = clock.at + ms; clock.at < end; clock.at += 100) yielding.noteRouted(401)
  }
  return { ...yielding, clock, free, lateFor }
}

it('makes requests at once while routing keeps up', async () => {
  const { noteRouted, isHeldBack, free } = createWorld()
  expect(await free(10)).toBe(10)
  noteRouted(400)
  expect(await free(10)).toBe(10)
  expect(isHeldBack()).toBe(false)
})

it('makes a few requests together at a time after routing was late', async () => {
  const { isHeldBack, mayWork, free, lateFor } = createWorld()
  lateFor(1_000)
  expect(isHeldBack()).toBe(true)
  expect(await free(1)).toBe(0)
  const began = performance.now()
  const waits = Array.from({ length: 30 }, () => mayWork().then(() => performance.now() - began))
  const ends = await Promise.all(waits)
  expect(ends.at(5)! - ends[0]!).toBeLessThan(80)
  expect(ends.at(-1)! - ends[0]!).toBeGreaterThan(200)
})

it('is held back the less, the shorter routing was late: half the pace for each tenth of a second, and not below a least', async () => {
  const { isHeldBack, clock, lateFor } = createWorld()
  const heldBackMs = (lateMs: number) => {
    lateFor(lateMs)
    const began = clock.at
    while (isHeldBack()) clock.at += 10
    return clock.at - began
  }
  const [once, thrice, long, longer] = [100, 300, 2_000, 10_000].map(heldBackMs) as [
    number,
    number,
    number,
    number,
  ]
  expect(once).toBeLessThan(thrice)
  expect(thrice).toBeLessThan(long)
  expect(longer).toBe(long)
})

it('lets all go on that wait when it is held back no more', async () => {
  const { mayWork, free, clock, lateFor } = createWorld()
  lateFor(1_000)
  const waits = Array.from({ length: 500 }, mayWork)
  clock.at += 60_000
  await Promise.all(waits)
  expect(await free(10)).toBe(10)
})
