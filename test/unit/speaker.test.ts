import { describe, expect, it } from 'vitest'
import { digitsOf, isFromCompany } from '../../src/webhook/speaker.ts'

const display = '+91 98100 00000'
const NOOR = '15550001111'

describe('a message of a coexistence number is the company’s', () => {
  it.each([
    ['from its display number', { from: '919810000000' }, { thread: NOOR }],
    ['from its display number with a plus', { from: '+919810000000' }, { thread: NOOR }],
    ['from another number than the thread’s customer', { from: '919820000000' }, { thread: NOOR }],
    [
      'from its display number, whatever from_me says',
      { from: '919810000000', history_context: { from_me: false } },
      { thread: NOOR },
    ],
    ['with from_me', { from: NOOR, history_context: { from_me: true } }, { thread: NOOR }],
    ['to a customer', { from: 'anything', to: '+1 555 000 1111' }, {}],
    ['to a customer known by BSUID', { to_user_id: 'US.1' }, {}],
  ])('%s', (_, message, around) => {
    expect(isFromCompany(message, { display, ...around })).toBe(true)
  })
})

describe('a message of a coexistence number is the customer’s', () => {
  it.each([
    ['from the thread’s customer', { from: NOOR }, { thread: NOOR }],
    ['from another spelling of the thread’s customer', { from: '551187654321' }, { thread: '5511987654321' }],
    ['with from_me false', { from: '15550009999', history_context: { from_me: false } }, { thread: NOOR }],
    ['to the company', { from: NOOR, to: '919810000000' }, {}],
    ['by BSUID in a thread', { from_user_id: 'US.1' }, { thread: 'US.1' }],
    ['without anything that tells', {}, {}],
  ])('%s', (_, message, around) => {
    expect(isFromCompany(message, { display, ...around })).toBe(false)
  })
})

it('only phones have digits: a BSUID, an empty text and an object have none', () => {
  expect(['US.123', '', ' + ', {}, null, undefined].map(digitsOf)).toEqual(Array(6).fill(undefined))
  expect([15550001111, '+1 (555) 000-1111'].map(digitsOf)).toEqual([NOOR, NOOR])
})
