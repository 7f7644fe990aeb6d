import { expect, test, vi } from 'vitest'
import { oncePerMinute } from '../../src/once-per-minute.ts'

test('the first event of each reason is reported at once, the others once a minute with their number', (t) => {
  vi.useFakeTimers()
  t.onTestFinished(() => void vi.useRealTimers())
  const reports: [string, number][] = []
  const count = oncePerMinute((reason: string, n) => reports.push([reason, n]))
  for (let i = 0; i < 1_000; i++) count('a')
  count('b')
  expect(reports).toEqual([
    ['a', 1],
    ['b', 1],
  ])
  vi.advanceTimersByTime(60_000)
  expect(reports.slice(2)).toEqual([['a', 999]])
  count('a')
  vi.advanceTimersByTime(60_000)
  expect(reports.slice(3)).toEqual([['a', 1]])
  vi.advanceTimersByTime(60_000)
  count('a')
  expect(reports.slice(4)).toEqual([['a', 1]])
})
