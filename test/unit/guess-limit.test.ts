import { expect, it } from 'vitest'
import { createGuessLimit } from '../../src/http/guess-limit.ts'

function limit() {
  const clock = { ms: 0 }
  return { ...createGuessLimit(10, () => clock.ms), clock }
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

it('a guess that was right does not count', () => {
  const { count, giveBack, secondsLeft } = limit()
  for (let i = 0; i < 20; i += 1) {
    count('a')
    giveBack('a')
  }
  giveBack('b')
  expect(count('a')).toBe(1)
  for (let i = 0; i < 9; i += 1) count('a')
  expect(secondsLeft('a')).toBe(60)
})

it('ten thousand addresses are remembered, and of more the one that tried last', () => {
  const { count, secondsLeft } = limit()
  for (let i = 0; i < 10; i += 1) count('first')
  for (let i = 0; i < 10_000; i += 1) count(`address ${i}`)
  expect(secondsLeft('first')).toBe(0)
  for (let i = 0; i < 9; i += 1) count('address 9999')
  expect(secondsLeft('address 9999')).toBe(60)
})
