import { describe, expect, it } from 'vitest'
import { aliasKey, personOf, personOfPhone } from '../../src/identity/aliases.ts'

describe('a person', () => {
  it('is looked up by phone first, under both spellings, and remembered under what Meta said', () => {
    const sender = { waId: '1555', userId: 'US.1', parentUserId: 'US.ENT.1', profileName: 'Ana' }
    const person = personOf('o', sender)
    expect(person.lookups.map((a) => a.value)).toEqual(['1555', '+1555', 'US.1', 'US.ENT.1'])
    expect(person.names.map((a) => a.kind)).toEqual(['wa_id', 'bsuid', 'parent_bsuid'])
  })

  it('may have no phone', () => {
    const sender = { waId: undefined, userId: 'US.1', parentUserId: undefined, profileName: undefined }
    expect(personOf('o', sender).lookups).toEqual([{ kind: 'bsuid', value: 'US.1' }])
  })

  it('may have a phone alone', () => {
    const sender = { waId: '1555', userId: undefined, parentUserId: undefined, profileName: undefined }
    expect(personOf('o', sender).names).toEqual([{ kind: 'wa_id', value: '1555' }])
  })

  it('of the CRM is found by the wa_id that messages taught', () => {
    const person = personOfPhone('o', '+1555')
    expect(person.lookups.map((a) => aliasKey('o', a))).toEqual(['o\nphone\n+1555', 'o\nwa_id\n1555'])
    expect(person.names).toEqual([{ kind: 'phone', value: '+1555' }])
  })
})
