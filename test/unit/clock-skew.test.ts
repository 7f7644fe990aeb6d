import { expect, it } from 'vitest'
import { clockSkew, isWrongClock } from '../../src/rules/clock-skew.ts'

it.each([
  ['ahead', 70_000, 60],
  ['right', 10_000, 0],
  ['behind', -50_000, -60],
])('a machine whose clock is %s has the skew of its difference in seconds', (_, machine, skew) => {
  expect(clockSkew({ database: 10_000, machine, tookMs: 0 })).toBe(skew)
})

it('the duration of the question does not count: the answer may be of its begin or of its end', () => {
  expect(clockSkew({ database: 10_000, machine: 17_000, tookMs: 7_000 })).toBe(0)
  expect(clockSkew({ database: 10_000, machine: 10_000, tookMs: 7_000 })).toBe(-0)
  expect(clockSkew({ database: 10_000, machine: 20_000, tookMs: 4_000 })).toBe(6)
})

it.each([
  [5, false],
  [-5, false],
  [5.1, true],
  [-5.1, true],
])('a clock that is %d s ahead is wrong: %s', (seconds, wrong) => {
  expect(isWrongClock(seconds)).toBe(wrong)
})
