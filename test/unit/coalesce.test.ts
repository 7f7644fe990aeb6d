import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { coalesce } from '../../src/queue/coalesce.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('the first of many calls works at once, and all others together once more', () => {
  const work = vi.fn()
  const call = coalesce(work, 20)
  for (let i = 0; i < 100; i += 1) call()
  expect(work).toHaveBeenCalledTimes(1)
  vi.advanceTimersByTime(20)
  expect(work).toHaveBeenCalledTimes(2)
  vi.advanceTimersByTime(100)
  expect(work).toHaveBeenCalledTimes(2)
  call()
  expect(work).toHaveBeenCalledTimes(3)
})
