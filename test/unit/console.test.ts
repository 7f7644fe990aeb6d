import { describe, expect, it } from 'vitest'
import { createTraffic } from '../../src/console/now/traffic.ts'
import { cutToBytes } from '../../src/console/ui/cut.ts'
import { duration, queryString, rate } from '../../src/console/ui/format.ts'
import { MASK, maskBody, plainBody } from '../../src/console/ui/mask.ts'
import { formatPhone } from '../../src/console/ui/phone.ts'
import { phonesMeant } from '../../src/identity/spoken-phone.ts'
import { bytes, post } from '../support/webhooks.ts'

describe('a masked delivery', () => {
  const text = {
    from: '15550001111',
    id: 'wamid.A',
    timestamp: '1790000000',
    type: 'text',
    text: { body: 'canary' },
  }

  it('shows ids, types and times, and no text, name or phone', () => {
    const shown = maskBody(post('phone-1', text)) ?? ''
    for (const plain of ['wamid.A', 'phone-1', '1790000000', '"type": "text"']) expect(shown).toContain(plain)
    for (const secret of ['canary', '15550001111', 'Customer ']) expect(shown).not.toContain(secret)
    expect(JSON.parse(shown).entry[0].changes[0].value.messages[0].text).toEqual({ body: MASK })
  })

  it('shows nothing of a body that is not JSON, and no value of an unknown key', () => {
    expect(maskBody(Buffer.from('canary'))).toBeUndefined()
    expect(maskBody(bytes({ unheard_of: ['canary', 7, { deep: 'canary' }] }))).not.toMatch(/canary|7/)
    expect(maskBody(bytes('canary'))).not.toContain('canary')
  })

  it('shows everything if the text is requested', () => {
    expect(plainBody(post('phone-1', text))).toContain('canary')
    expect(plainBody(Buffer.from('canary'))).toBe('canary')
  })
})

it('a text is cut where it would take too many bytes in a page, never within a character', () => {
  expect(cutToBytes('abc', 3)).toBe('abc')
  expect(cutToBytes('abcd', 3)).toBe('abc')
  expect(cutToBytes('"a"b', 13)).toBe('"a"')
  expect(cutToBytes('<&é', 10)).toBe('<&')
  expect(cutToBytes('👋👋', 5)).toBe('👋')
})

describe('a phone on a page', () => {
  it.each([
    ['13125550123', '+1 312 555 0123'],
    ['+5511987654321', '+55 11 98765 4321'],
    ['+1 555 078 3881', '+1 555 078 3881'],
    ['US.13491208655302741918', 'US.13491208655302741918'],
    ['000000', '000000'],
  ])('is written as people write it, and another text stays: %s', (text, shown) => {
    expect(formatPhone(text)).toBe(shown)
  })
})

describe('the rates of the console', () => {
  const at = (seconds: number) => new Date(seconds * 1_000)

  it('are differences of counters over the time between two readings', () => {
    const traffic = createTraffic()
    traffic.add({ at: at(0), stored: 100, routed: 90 })
    expect(traffic.rates).toEqual({ acknowledged: [], routed: [] })
    traffic.add({ at: at(2), stored: 120, routed: 100 })
    expect(traffic.rates).toEqual({ acknowledged: [10], routed: [5] })
  })

  it('are zero if counters were reset, and skip a reading at the same time', () => {
    const traffic = createTraffic()
    traffic.add({ at: at(0), stored: 100, routed: 90 })
    traffic.add({ at: at(0), stored: 200, routed: 190 })
    traffic.add({ at: at(2), stored: 0, routed: 0 })
    expect(traffic.rates).toEqual({ acknowledged: [0], routed: [0] })
  })

  it('keep the last sixty readings until they are cleared', () => {
    const traffic = createTraffic()
    for (let i = 0; i < 100; i += 1) traffic.add({ at: at(i), stored: i, routed: i })
    expect(traffic.rates.acknowledged).toEqual(Array(60).fill(1))
    traffic.clear()
    traffic.add({ at: at(1_000), stored: 1e9, routed: 1e9 })
    expect(traffic.rates.acknowledged).toEqual([])
  })
})

describe('a phone that a user types', () => {
  it.each([
    ['+91 98100 12345', '+919810012345'],
    ['919810012345', '+919810012345'],
    ['0091-98100-12345', '+919810012345'],
    ['(+91) 98100.12345', '+919810012345'],
    ['098100 12345', '+919810012345'],
    ['98100 12345', '+919810012345'],
  ])('%s means %s if the org has an Indian number', (words, phone) => {
    expect(phonesMeant(words, ['+91 98100 00000'])).toContain(phone)
  })

  it.each(['crm-1', 'wamid.HBgM', '', '+', 'US.13491208655302741918'])('%j means no phone', (words) => {
    expect(phonesMeant(words, ['+91 98100 00000'])).toEqual([])
  })

  it('means a phone of another country only with the country code', () => {
    expect(phonesMeant('07700 900123', ['+91 98100 00000'])).not.toContain('+447700900123')
    expect(phonesMeant('+44 7700 900123', ['+91 98100 00000'])).toEqual(['+447700900123'])
  })
})

it('durations and rates are rounded and have units', () => {
  expect([0, 59, 61, 3_600, 9_000, 200_000].map(duration)).toEqual([
    ...['0 s', '59 s', '1 min', '1 h', '2 h 30 min', '2 d'],
  ])
  expect([0, 0.25, 9.96, 1234.5].map(rate)).toEqual(['0', '0.3', '10', '1,235'])
  expect([queryString({}), queryString({ a: undefined, b: '&' })]).toEqual(['', '?b=%26'])
})
