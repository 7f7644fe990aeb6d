import { expect, it } from 'vitest'
import { AGES, ageSql, ageValues } from '../../src/rules/age.ts'

it('an age is the interval since which, or until which, something has been there', () => {
  expect(AGES.map((age) => ageValues(age))).toEqual([
    ...['1h', '1d', '7d'].map((interval) => [interval, null]),
    ...['1h', '1d', '7d'].map((interval) => [null, interval]),
  ])
  expect(ageValues(undefined)).toEqual([null, null])
})

it('an age is judged by now, or by another time', () => {
  expect(ageSql('at', ['$1', '$2'])).toContain('at >= coalesce(now() - $1::interval')
  expect(ageSql('at', ['$1', '$2'], '$3')).toContain('at <= coalesce($3 - $2::interval')
})
