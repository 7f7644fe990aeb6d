import { expect, test, vi } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { oncePerSecond } from '../../src/once-per-second.ts'

test('many errors give one log line a second, with the number of suppressed ones', (t) => {
  vi.useFakeTimers()
  t.onTestFinished(() => void vi.useRealTimers())
  const lines: Record<string, unknown>[] = []
  const logger = createLogger({ logLevel: 'warn' }, { write: (line) => lines.push(JSON.parse(line)) })
  const warn = oncePerSecond(logger)
  for (let i = 0; i < 1_000; i++) warn(new Error('away'), 'trouble')
  vi.advanceTimersByTime(1_000)
  warn(new Error('away'), 'trouble')
  expect(lines.map((line) => [line.msg, line.suppressed])).toEqual([
    ['trouble', 0],
    ['trouble', 999],
  ])
})
