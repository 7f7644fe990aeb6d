import { expect, it } from 'vitest'
import { createGuessLimit } from '../../src/http/guess-limit.ts'
import { createLogger } from '../../src/logger.ts'

function limit() {
  const lines: Record<string, unknown>[] = []
  const log = createLogger({ logLevel: 'warn' }, { write: (line) => lines.push(JSON.parse(line)) })
  const clock = { ms: 0 }
  return { ...createGuessLimit(log, () => clock.ms), clock, lines }
}

it('ten wrong passwords in a minute close an address until the minute is over, and no other one', () => {
  const { count, secondsLeft, clock } = limit()
  for (let i = 0; i < 10; i += 1) {
    expect(secondsLeft('a')).toBe(0)
    count('a')
  }
  expect(secondsLeft('a')).toBe(60)
  expect(secondsLeft('b')).toBe(0)
  clock.ms = 59_000
  expect(secondsLeft('a')).toBe(1)
  clock.ms = 60_000
  expect(secondsLeft('a')).toBe(0)
})

it('a wrong password leaves a line in the log, with the address', () => {
  const { count, lines } = limit()
  count('a')
  expect(lines).toMatchObject([{ address: 'a', guesses: 1 }])
  expect(lines[0]).not.toHaveProperty('err')
})

it('ten thousand addresses are remembered, and of more the one that tried last', () => {
  const { count, secondsLeft } = limit()
  for (let i = 0; i < 10; i += 1) count('first')
  for (let i = 0; i < 10_000; i += 1) count(`address ${i}`)
  expect(secondsLeft('first')).toBe(0)
  for (let i = 0; i < 9; i += 1) count('address 9999')
  expect(secondsLeft('address 9999')).toBe(60)
})
