import { describe, expect, it } from 'vitest'
import { phoneDigits } from '../../src/rules/phone-digits.ts'
import { extract } from '../../src/webhook/extract.ts'
import { bytes, change, delivery } from '../support/webhooks.ts'

const NONE = { waId: undefined, userId: undefined, parentUserId: undefined }

function readOne(message: object, contacts: unknown[] = []) {
  const body = bytes(delivery([change('p', { messages: [{ id: 'w', ...message }], contacts })]))
  return extract({ id: 1, body, receivedAt: new Date('2026-11-26T12:00:00Z') })
}

const senderOf = (message: object, contacts?: unknown[]) => readOne(message, contacts).messages[0]?.sender

describe('the digits of a phone', () => {
  it.each([
    ['16505551234', '16505551234'],
    ['+16505551234', '16505551234'],
    [' +1 (650) 555-1234', '16505551234'],
    ['+1.650.555.1234', '16505551234'],
    ['\u202a+1\u00a0650\u2011555\u20111234\u202c', '16505551234'],
    ['US.13491208655302741918', undefined],
    ['120363-group@g.us', undefined],
    ['+', undefined],
    ['+(-)', undefined],
    ['', undefined],
  ])('of %j are %j', (text, digits) => {
    expect(phoneDigits(text)).toBe(digits)
  })
})

describe('a name that may be a phone', () => {
  it('is digits only, also where Meta sends it as it was typed', () => {
    expect(senderOf({ from: '+1 650-555-1234', type: 'text' })).toMatchObject({ waId: '16505551234' })
    expect(senderOf({ type: 'text' }, [{ wa_id: '+16505551234' }])).toMatchObject({ waId: '16505551234' })
    expect(senderOf({ from: 16505551234, type: 'text' })).toMatchObject({ waId: '16505551234' })
  })

  it('stays as it is when it is no phone, and a BSUID in its place is a BSUID', () => {
    expect(senderOf({ from: 'w-1', type: 'text' })).toMatchObject({ waId: 'w-1' })
    expect(senderOf({ from: 'US.1', type: 'text' })).toMatchObject({ waId: undefined, userId: 'US.1' })
  })
})

describe('a system message about new names', () => {
  const system = (content: object, message: object = {}) => ({ type: 'system', ...message, system: content })

  it.each([
    [
      'user_changed_number of 2025',
      { type: 'user_changed_number', wa_id: '2' },
      { from: '1' },
      { before: { waId: '1' }, to: { waId: '2' }, givenUp: { waId: '1' } },
    ],
    [
      'user_changed_number of June 2026, without the previous id',
      { type: 'user_changed_number', wa_id: '2', user_id: 'US.2' },
      { from: '1', from_user_id: 'US.2' },
      { before: { waId: '1' }, to: { waId: '2', userId: 'US.2' }, givenUp: { waId: '1' } },
    ],
    [
      'user_changed_number of August 2026, with all previous ids',
      {
        type: 'user_changed_number',
        wa_id: '2',
        user_id: 'US.2',
        previous_user_id: 'US.1',
        parent_user_id: 'US.ENT.2',
        previous_parent_user_id: 'US.ENT.1',
      },
      { from: '1' },
      {
        before: { waId: '1', userId: 'US.1', parentUserId: 'US.ENT.1' },
        to: { waId: '2', userId: 'US.2', parentUserId: 'US.ENT.2' },
        givenUp: { waId: '1', userId: 'US.1', parentUserId: 'US.ENT.1' },
      },
    ],
    [
      'version 11, with new_wa_id as a number',
      { type: 'user_changed_number', new_wa_id: 12195555358 },
      { from: '16505551234' },
      {
        before: { waId: '16505551234' },
        to: { waId: '12195555358' },
        givenUp: { waId: '16505551234' },
      },
    ],
    [
      'two versions at once, with the new phone under both keys',
      {
        type: 'user_changed_number',
        customer: '1',
        wa_id: '2',
        new_wa_id: 2,
        user_id: 'US.2',
        previous_user_id: 'US.1',
      },
      { from: '1' },
      {
        before: { waId: '1', userId: 'US.1' },
        to: { waId: '2', userId: 'US.2' },
        givenUp: { waId: '1', userId: 'US.1' },
      },
    ],
    [
      'two versions at once, with the old phone in `wa_id`',
      { type: 'user_changed_number', wa_id: '1', new_wa_id: 2 },
      {},
      { before: { waId: '1' }, to: { waId: '2' }, givenUp: { waId: '1' } },
    ],
    [
      'customer_changed_number, whose `customer` is the old phone and `from` the new one',
      { type: 'customer_changed_number', customer: '+1', wa_id: '2' },
      { from: '2' },
      { before: { waId: '1' }, to: { waId: '2' }, givenUp: { waId: '1' } },
    ],
    [
      'user_changed_user_id, which tells nothing new about the phone',
      { type: 'user_changed_user_id', user_id: 'US.2', previous_user_id: 'US.1' },
      { from: '1' },
      { before: { waId: '1', userId: 'US.1' }, to: { userId: 'US.2' }, givenUp: { userId: 'US.1' } },
    ],
    [
      'a parent id that changes while the id stays',
      {
        type: 'user_changed_user_id',
        user_id: 'US.1',
        previous_user_id: 'US.1',
        parent_user_id: 'US.ENT.2',
      },
      { from_parent_user_id: 'US.ENT.1' },
      {
        before: { parentUserId: 'US.ENT.1' },
        to: { userId: 'US.1', parentUserId: 'US.ENT.2' },
        givenUp: { parentUserId: 'US.ENT.1' },
      },
    ],
    [
      'a previous id without a new one',
      { type: 'user_changed_user_id', previous_user_id: 'US.1', previous_parent_user_id: 'US.ENT.1' },
      {},
      {
        before: { userId: 'US.1', parentUserId: 'US.ENT.1' },
        to: {},
        givenUp: { userId: 'US.1', parentUserId: 'US.ENT.1' },
      },
    ],
    [
      'an old id in from_user_id',
      { type: 'user_changed_user_id', user_id: 'US.2' },
      { from_user_id: 'US.1' },
      { before: { userId: 'US.1' }, to: { userId: 'US.2' }, givenUp: { userId: 'US.1' } },
    ],
  ])('of %s', (_, content, message, { before, to, givenUp }) => {
    expect(senderOf(system(content, message))).toEqual({
      ...NONE,
      ...before,
      profileName: undefined,
      rename: { to: { ...NONE, ...to }, givenUp: { ...NONE, ...givenUp } },
    })
  })

  it.each([
    ['names only the new', { user_id: 'US.2' }, { from_user_id: 'US.2' }, [], { userId: 'US.2' }],
    ['names only the old', { type: 'user_changed_number' }, { from: '1' }, [], { waId: '1' }],
    [
      'is about a security code, also with a `wa_id`',
      { type: 'customer_identity_changed', customer: '1', wa_id: '1', identity: 'h' },
      { from: '1' },
      [],
      { waId: '1' },
    ],
    [
      'is about a security code of an old version',
      { type: 'user_identity_changed', customer: '1', user_id: 'US.1' },
      {},
      [],
      { waId: '1', userId: 'US.1' },
    ],
    ['names nobody but in contacts[]', { type: 'new_kind' }, {}, [{ wa_id: '1' }], { waId: '1' }],
  ])('that %s renames nobody', (_, content, message, contacts, names) => {
    expect(senderOf(system(content, message), contacts)).toEqual({
      ...NONE,
      profileName: undefined,
      ...names,
    })
  })

  it('that names nobody at all is a problem', () => {
    expect(readOne(system({ type: 'user_changed_number' })).problems).toEqual([
      'messages[0]: names no sender',
    ])
  })
})

describe('a phone that Meta attests', () => {
  const card = (phones: unknown, origin = 'contact_request') => ({
    name: { formatted_name: 'X' },
    phones,
    origin,
  })
  const cards = (contacts: unknown, more: object = {}) =>
    senderOf({ type: 'contacts', from_user_id: 'US.1', contacts, ...more })?.attestedPhones

  it('is that of a contact card that answers a request', () => {
    expect(cards([card([{ phone: '+20 100 000 0001', wa_id: '201000000001' }])])).toEqual(['201000000001'])
    expect(cards([card([{ phone: ' +20 100 000 0001' }])])).toEqual(['201000000001'])
  })

  it('is that of a message that has the origin beside its cards', () => {
    const contacts = [{ phones: [{ wa_id: '1' }] }]
    expect(cards(contacts, { origin: 'contact_request' })).toEqual(['1'])
    expect(cards([card([{ wa_id: '1' }], 'other')], { origin: 'contact_request' })).toBeUndefined()
  })

  it('is that of the attested one among several cards', () => {
    expect(cards([card([{ wa_id: '1' }], 'other'), card([{ wa_id: '2' }])])).toEqual(['2'])
  })

  it('are all of them, each once, where a card names several', () => {
    expect(cards([card([{ wa_id: '1' }, { wa_id: '+1' }, { wa_id: '2' }])])).toEqual(['1', '2'])
  })

  it.each([
    ['another origin', [card([{ wa_id: '1' }], 'other')], {}],
    ['an origin that only begins so', [card([{ wa_id: '1' }], 'contact_request/other')], {}],
    ['no origin', [{ phones: [{ wa_id: '1' }] }], {}],
    ['a forwarded card', [card([{ wa_id: '1' }])], { context: { forwarded: true } }],
    ['a card forwarded often', [card([{ wa_id: '1' }])], { context: { frequently_forwarded: true } }],
    ['a sender who shows the phone', [card([{ wa_id: '1' }])], { from: '2' }],
    ['a text', [card([{ wa_id: '1' }])], { type: 'text' }],
    ['a national number', [card([{ phone: '0100 000 0001' }])], {}],
    ['no phone', [card(undefined), card([null, {}]), null], {}],
    ['no cards', 'none', {}],
  ])('is not taken from %s', (_, contacts, more) => {
    expect(cards(contacts, more)).toBeUndefined()
  })
})
