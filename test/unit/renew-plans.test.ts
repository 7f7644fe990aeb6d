import { expect, it } from 'vitest'
import { createRenewal } from '../../src/db/renew-plans.ts'

it('a connection keeps its plans for five seconds, and makes them anew then; each connection by itself', () => {
  let now = 0
  const renew = createRenewal(() => now)
  const [one, other] = [{}, {}]
  const isAnew = (connection: object) => renew(connection).includes('discard plans')
  expect([isAnew(one), isAnew(one)]).toEqual([true, false])
  now = 4_999
  expect([isAnew(one), isAnew(other)]).toEqual([false, true])
  now = 5_000
  expect([isAnew(one), isAnew(one), isAnew(other)]).toEqual([true, false, false])
})
