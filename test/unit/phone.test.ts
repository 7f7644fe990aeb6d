import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { phoneVariants, rivalPhones } from '../../src/identity/phone.ts'
import { PHONES } from '../fixtures/phones.ts'

describe.each(Object.entries(PHONES))('the numbers of %s', (_, phones) => {
  it('are at least forty samples', () => {
    expect(phones.length).toBeGreaterThanOrEqual(40)
  })

  it.each(phones.map((p) => [p.kind, p.spellings] as const))(
    'are found by every other spelling: %s %j',
    (_, spellings) => {
      for (const spelling of spellings) {
        const others = spellings.filter((s) => s !== spelling)
        expect(phoneVariants(spelling)).toEqual(expect.arrayContaining(others))
      }
    },
  )

  it('have no other spelling if they have only one', () => {
    for (const { spellings } of phones) {
      if (spellings.length === 1) expect(phoneVariants(spellings[0]!)).toEqual([])
    }
  })
})

it('the numbers of other countries have no other spelling', () => {
  for (const digits of [
    '15550001111',
    '919810000001',
    '447700900123',
    '4915112345678',
    '5511',
    '52',
    '',
    '54',
  ]) {
    expect(phoneVariants(digits)).toEqual([])
  }
})

it('an old number of Ivory Coast may be that of any operator', () => {
  expect(phoneVariants('22568123456')).toEqual(
    ['01', '05', '07', '21', '25', '27'].map((prefix) => `225${prefix}68123456`),
  )
})

it('numbers of Ivory Coast that were the same before the change are rivals', () => {
  expect(rivalPhones('2250768123456')).toEqual(
    ['01', '05', '21', '25', '27'].map((prefix) => `225${prefix}68123456`),
  )
  for (const phone of ['22568123456', '22997123456', '15550001111', ''])
    expect(rivalPhones(phone)).toEqual([])
})

it('the other spellings of a number have 11 to 15 digits and do not include the number itself', () => {
  const digits = fc.tuple(fc.constantFrom('55', '52', '521', '54', '549'), fc.stringMatching(/^\d{8,12}$/))
  fc.assert(
    fc.property(digits, ([country, rest]) => {
      const phone = country + rest
      for (const variant of phoneVariants(phone)) {
        expect(variant).not.toBe(phone)
        expect(variant).toMatch(/^\d{11,15}$/)
      }
    }),
  )
})
