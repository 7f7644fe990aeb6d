import { describe, expect, it } from 'vitest'
import { aliasKey, commonName, isId, orgOfKey, synonymsOf } from '../../src/identity/aliases.ts'
import { namesToLookUp, personOf, personOfPhone } from '../../src/identity/person.ts'

const nobody = { waId: undefined, userId: undefined, parentUserId: undefined, profileName: undefined }
const values = (aliases: { value: string }[]) => aliases.map((a) => a.value)

describe('a person', () => {
  it('is looked up by `wa_id` and phone, then by BSUIDs, and gets the names that Meta sent', () => {
    const person = personOf('o', {
      waId: '1555',
      userId: 'US.1',
      parentUserId: 'US.ENT.1',
      profileName: 'Ana',
    })
    expect([values(person.phones), person.variants]).toEqual([['1555', '+1555'], []])
    expect(person.ids.map((a) => a.kind)).toEqual(['bsuid', 'parent_bsuid'])
    expect(person.names.map((a) => a.kind)).toEqual(['wa_id', 'bsuid', 'parent_bsuid'])
  })

  it('may have no phone, or only a phone', () => {
    expect(personOf('o', { ...nobody, userId: 'US.1' })).toMatchObject({ phones: [], variants: [] })
    expect(personOf('o', { ...nobody, waId: '1555' })).toMatchObject({ ids: [], names: [{ value: '1555' }] })
  })

  it('is also looked up by other spellings of the phone, which do not become names', () => {
    const person = personOf('o', { ...nobody, waId: '551187654321' })
    expect(values(person.variants)).toEqual(['5511987654321', '+5511987654321'])
    expect(values(person.names)).toEqual(['551187654321'])
  })

  it('with a changed name is looked up by the old names and gets the new ones', () => {
    const none = { waId: undefined, userId: undefined, parentUserId: undefined }
    const to = { waId: '1666', userId: 'US.2', parentUserId: undefined }
    const person = personOf('o', { ...nobody, waId: '1555', rename: { to, givenUp: none } })
    expect(values(person.phones)).toEqual(['1555', '+1555'])
    expect(values(person.names)).toEqual(['1555', '1666', 'US.2'])
    const rename = { to: { ...to, waId: undefined }, givenUp: none }
    const onlyId = personOf('o', { ...nobody, userId: 'US.1', rename })
    expect(values(onlyId.names)).toEqual(['US.1', 'US.2'])
  })

  it('that the CRM names by phone is also looked up by `wa_id`', () => {
    const person = personOfPhone('o', '+1555')
    expect(person.phones.map((a) => aliasKey('o', a))).toEqual(['o\nwa_id\n1555', 'o\nphone\n+1555'])
    expect(person.names).toEqual([{ kind: 'phone', value: '+1555' }])
  })
})

it('a person whose card attests a phone is looked up by all its spellings too', () => {
  const person = personOf('o', { ...nobody, userId: 'CI.1', attestedPhones: ['2250768123456'] })
  const names = values(namesToLookUp(person))
  expect(names).toEqual(expect.arrayContaining(['CI.1', '2250768123456', '+22568123456', '2250568123456']))
})

it('a phone has a `wa_id` and an E.164 number as synonyms, and a BSUID has none', () => {
  const both = ['1555', '+1555']
  expect(values(synonymsOf({ kind: 'wa_id', value: '1555' }))).toEqual(both)
  expect(values(synonymsOf({ kind: 'phone', value: '+1555' }))).toEqual(both)
  expect(values(synonymsOf({ kind: 'bsuid', value: 'US.1' }))).toEqual(['US.1'])
})

it('the names of a phone have their digits in common, and an id is itself', () => {
  expect(synonymsOf({ kind: 'phone', value: '+1555' }).map(commonName)).toEqual(['1555', '1555'])
  expect(commonName({ kind: 'bsuid', value: 'US.+1' })).toBe('US.+1')
})

it('a BSUID and a parent BSUID are ids, a `wa_id` and a phone are not', () => {
  const kinds = (['wa_id', 'phone', 'bsuid', 'parent_bsuid'] as const).filter((kind) =>
    isId({ kind, value: 'x' }),
  )
  expect(kinds).toEqual(['bsuid', 'parent_bsuid'])
})

it('the key of a name tells the org, whatever the name holds', () => {
  expect(orgOfKey(aliasKey('o 1', { kind: 'bsuid', value: 'US.1\n2' }))).toBe('o 1')
})
