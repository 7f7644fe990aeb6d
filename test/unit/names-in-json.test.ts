import { describe, expect, it } from 'vitest'
import { digestKey, digestOf } from '../../src/erased/digest.ts'
import { nameValues, partsAbout, withoutPerson } from '../../src/personal-data/names-in-json.ts'
import { bodyWithoutPerson, isOfOrg } from '../../src/personal-data/owned-changes.ts'
import { ExactNumber } from '../../src/webhook/exact-json.ts'

const names = new Set(
  nameValues([
    { kind: 'phone', value: '+5511987654321' },
    { kind: 'bsuid', value: 'BR.1' },
    { kind: 'parent_bsuid', value: 'BR.ENT.1' },
  ]),
)
const mine = { from: '5511987654321', text: { body: 'mine' } }
const other = { from: '15550002222', text: { body: '5511987654321' }, context: { from: '5511987654321' } }

describe('the parts of JSON about a person', () => {
  it.each([
    ['the phone', '5511987654321'],
    ['another spelling of it', '551187654321'],
    ['a formatted one', '+55 (11) 98765-4321'],
    ['one with the prefix of international calls', '005511987654321'],
    ['a number', 5511987654321],
    ['a number that was kept exactly', new ExactNumber('5511987654321')],
    ['a BSUID', 'BR.1'],
    ['a parent BSUID', 'BR.ENT.1'],
  ])('are found by %s', (_, from) => {
    expect(partsAbout({ messages: [{ from }] }, names)).toEqual([{ from }])
  })

  it('are none where only others speak, whatever they say or quote', () => {
    expect(partsAbout({ messages: [other, null, 'x', true], count: 3 }, names)).toEqual([])
  })

  it('are found in threads of a history, in a list of contacts, and as the whole', () => {
    const history = {
      history: [
        {
          threads: [
            { id: '5511987654321', messages: [{}] },
            { id: '1', messages: [mine] },
          ],
        },
      ],
    }
    expect(partsAbout(history, names)).toEqual([{ id: '5511987654321', messages: [{}] }, mine])
    const card = { type: 'contact', contact: { phone_number: '+5511987654321' } }
    expect(partsAbout({ state_sync: [card, { contact: { phone_number: '1' } }] }, names)).toEqual([card])
    expect(partsAbout({ value: mine }, names)).toEqual([mine])
    expect(partsAbout({ entry: ['5511987654321', 'x'] }, names)).toEqual(['5511987654321'])
  })
})

describe('JSON without a person', () => {
  it('keeps what is about others as it is', () => {
    const value = {
      metadata: { id: 1 },
      contacts: [{ wa_id: '5511987654321' }, { wa_id: '1' }],
      messages: [mine, other],
    }
    expect(withoutPerson(value, names)).toEqual({ ...value, contacts: [{ wa_id: '1' }], messages: [other] })
    expect(withoutPerson({ event: 'x', list: [] }, names)).toEqual({ event: 'x', list: [] })
  })

  it('is nothing where nobody else is left', () => {
    expect(withoutPerson({ contacts: [{ wa_id: '1' }], messages: [mine] }, names)).toBeUndefined()
    expect(withoutPerson({ ...mine }, names)).toBeUndefined()
    expect(
      withoutPerson({ entry: [{ id: 'w', changes: [{ value: { messages: [mine] } }] }] }, names),
    ).toBeUndefined()
  })

  it('loses an object that is about the person, and keeps the rest', () => {
    expect(withoutPerson({ a: 1, about: { wa_id: 'BR.1' }, list: [other] }, names)).toEqual({
      a: 1,
      list: [other],
    })
  })

  it('loses the threads of the person, and keeps those of others', () => {
    const threads = [
      { id: '5511987654321', messages: [{}] },
      { id: '1', messages: [other, 'x'] },
    ]
    expect(withoutPerson({ history: [{ threads }, 1] }, names)).toEqual({
      history: [{ threads: [threads[1]] }, 1],
    })
  })
})

it('a change is of the org that has its number or its WABA', () => {
  const ids = new Set(['phone', 'waba'])
  expect(isOfOrg({ wabaId: 'waba', value: {} }, ids)).toBe(true)
  expect(isOfOrg({ wabaId: 'x', value: { metadata: { phone_number_id: 'phone' } } }, ids)).toBe(true)
  expect(isOfOrg({ wabaId: {}, value: { metadata: { phone_number_id: 'x' } } }, ids)).toBe(false)
})

describe('the bytes of a delivery without a person', () => {
  const ids = new Set(['w'])
  const without = (body: unknown) => {
    const found = bodyWithoutPerson(Buffer.from(JSON.stringify(body)), names, ids)
    return found && (found.body ? JSON.parse(found.body.toString()) : null)
  }
  const body = (...entry: unknown[]) => ({ object: 'whatsapp_business_account', entry })
  const of = (...messages: unknown[]) => ({ field: 'messages', value: { messages } })

  it('keep what is about others, and the changes of other orgs', () => {
    const others = { id: 'x', changes: [of(mine)] }
    const found = without(
      body({ id: 'w', changes: [of(mine), of(mine, other)] }, others, 'odd', { id: 'w', changes: [] }),
    )
    expect(found).toEqual(body({ id: 'w', changes: [of(other)] }, others, 'odd', { id: 'w', changes: [] }))
  })

  it('are none where nobody else is in them', () => {
    expect(without(body({ id: 'w', changes: [of(mine)] }))).toBe(null)
  })

  it('stay as they are where the person is not in them, and where they are no delivery', () => {
    expect(without(body({ id: 'w', changes: [of(other), 'odd'] }))).toBeUndefined()
    expect(without({ entry: '5511987654321' })).toBeUndefined()
  })
})

it('a digest tells neither name nor org, and is another one in each org and under each key', () => {
  const [key, otherKey] = [digestKey(Buffer.alloc(32, 1)), digestKey(Buffer.alloc(32, 2))]
  const digest = digestOf(key, 'acme', '15550001111')
  expect(digest).toHaveLength(32)
  expect(digestOf(key, 'acme', '15550001111')).toEqual(digest)
  expect(digestOf(key, 'other', '15550001111')).not.toEqual(digest)
  expect(digestOf(otherKey, 'acme', '15550001111')).not.toEqual(digest)
})
