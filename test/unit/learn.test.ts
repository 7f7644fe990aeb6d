import { describe, expect, it } from 'vitest'
import { aliasKey } from '../../src/identity/aliases.ts'
import { find, hasNews, holdersOfPhones } from '../../src/identity/find.ts'
import type { Holding, Holdings } from '../../src/identity/holdings.ts'
import { learn } from '../../src/identity/learn.ts'
import { identityOf, type Person, personOfPhone } from '../../src/identity/person.ts'
import type { Names } from '../../src/webhook/names.ts'
import type { Sender } from '../../src/webhook/sender.ts'

const NONE = { waId: undefined, userId: undefined, parentUserId: undefined, profileName: undefined }
const at = (minute: number) => new Date(minute * 60_000)

type Given = Partial<Sender> & {
  minute?: number
  wabaId?: string | undefined
  isWriting?: boolean
  passive?: boolean
}

/** Somebody who writes under these names at a number of the WABA `w`. */
function person({ minute = 1, wabaId = 'w', isWriting = true, passive = false, ...names }: Given): Person {
  return { ...identityOf({ ...NONE, ...names }, at(minute)), orgId: 'o', wabaId, isWriting, passive }
}

/** The report of a change of names. */
const renamed = (from: Partial<Names>, to: Partial<Names>, more: Given = {}) =>
  person({
    ...from,
    isWriting: false,
    ...more,
    rename: { to: { ...NONE, ...to }, givenUp: { ...NONE, ...from } },
  })

/** Names and their holders: the kind follows from the form of the name. */
function world(names: Record<string, string | Partial<Holding>>): Holdings {
  return new Map(
    Object.entries(names).map(([value, of]) => {
      const holding = typeof of === 'string' ? { customerId: of } : of
      return [keyOf(value), { customerId: undefined, since: null, wabaIds: [], former: [], ...holding }]
    }),
  )
}

const keyOf = (value: string) => aliasKey('o', { kind: kindOf(value), value })

function kindOf(value: string) {
  if (value.includes('.ENT.')) return 'parent_bsuid'
  if (value.includes('.')) return 'bsuid'
  return value.startsWith('+') ? 'phone' : 'wa_id'
}

/** Learns from the people in turn; gives the lesson, and who has each name afterwards. */
function learned(known: Holdings, ...people: Person[]) {
  let n = 0
  const lesson = learn(people, known, () => `new${++n}`)
  const holderOf = (value: string) => known.get(keyOf(value))?.customerId
  return { ...lesson, holderOf, known }
}

describe('a person', () => {
  it('whom no name leads to becomes a customer and gets the names', () => {
    const { customers, holderOf } = learned(
      world({}),
      person({ waId: '1', userId: 'US.1', profileName: 'A' }),
    )
    expect(customers).toEqual([{ orgId: 'o', id: 'new1', profileName: 'A', waId: '1', waIdAt: at(1) }])
    expect(['1', 'US.1'].map(holderOf)).toEqual(['new1', 'new1'])
  })

  it.each([
    ['did not write', { waId: '1', isWriting: false }],
    ['wrote under an id only', { userId: 'US.1' }],
  ])('who is new and %s has no address yet', (_, given) => {
    const { customers } = learned(world({}), person(given))
    expect(customers).toMatchObject([{ id: 'new1', waId: undefined, waIdAt: undefined }])
  })

  it('is found by the exact phone before an id, and the id follows the phone', () => {
    const known = world({ '+1': 'crm', 'US.1': 'a' })
    const { conflicts, holderOf } = learned(known, person({ waId: '1', userId: 'US.1' }))
    expect(conflicts).toEqual([
      {
        orgId: 'o',
        alias: { kind: 'bsuid', value: 'US.1' },
        customerId: 'crm',
        otherId: 'a',
        isProven: false,
        announced: undefined,
      },
    ])
    expect(['1', 'US.1'].map(holderOf)).toEqual(['crm', 'crm'])
  })

  it('is found by another spelling of the phone if one customer fits', () => {
    const awa = person({ waId: '22568123456' })
    expect(find(world({ '+2250768123456': 'awa' }), awa).customerId).toBe('awa')
    const two = world({ '+2250768123456': 'awa', '+2250568123456': 'bintou' })
    expect(find(two, awa)).toEqual({ customerId: undefined, phone: undefined, fits: ['bintou', 'awa'] })
    expect(learned(two, awa).ambiguities).toEqual([
      { orgId: 'o', customerId: 'new1', fits: ['bintou', 'awa'], isCard: false },
    ])
  })

  it('is not found by another spelling that belongs to somebody with a full number of their own', () => {
    const known = world({ '22568123456': 'bintou', '+2250568123456': 'bintou' })
    expect(find(known, person({ waId: '2250768123456' })).customerId).toBeUndefined()
  })

  it('is found by an id although several customers have another spelling of the phone, without an event', () => {
    const known = world({ '+2250768123456': 'awa', '+2250568123456': 'bintou', 'CI.1': 'c' })
    const { ambiguities, holderOf } = learned(known, person({ waId: '22568123456', userId: 'CI.1' }))
    expect([ambiguities, holderOf('22568123456')]).toEqual([[], 'c'])
  })

  it('that the CRM names is found without a time', () => {
    const known = world({ '+1': { customerId: 'b', former: [{ customerId: 'a', until: at(5) }] } })
    expect(find(known, personOfPhone('o', '+1')).customerId).toBe('b')
  })

  it('brings no news if all names are known, at this WABA', () => {
    const known = world({ '1': 'a', 'US.1': { customerId: 'a', wabaIds: ['w'] } })
    expect(hasNews(known, person({ waId: '1', userId: 'US.1' }))).toBe(false)
    expect(hasNews(known, person({ waId: '1', userId: 'US.1', wabaId: 'v' }))).toBe(true)
    expect(hasNews(known, { ...person({ waId: '1', userId: 'US.1' }), wabaId: undefined })).toBe(false)
    expect(hasNews(known, person({ waId: '2' }))).toBe(true)
    expect(hasNews(known, person({ waId: '1', userId: 'US.2' }))).toBe(true)
  })

  it('is remembered with the WABAs at which a BSUID was seen', () => {
    const known = world({ 'US.1': { customerId: 'a', wabaIds: ['w'] } })
    learned(known, person({ userId: 'US.1', wabaId: 'v' }))
    expect(known.get(keyOf('US.1'))?.wabaIds).toEqual(['w', 'v'])
  })
})

describe('a passive person', () => {
  const passive = (names: Given) => person({ ...names, passive: true })

  it('becomes no customer and takes no name, but adds names', () => {
    const known = world({ '1': 'a', 'US.9': 'b' })
    const { customers, conflicts, holderOf } = learned(
      known,
      passive({ waId: '2' }),
      passive({ waId: '1', userId: 'US.9', parentUserId: 'US.ENT.1' }),
      passive({ waId: '1', userId: 'US.1' }),
    )
    expect([customers, conflicts]).toEqual([[], []])
    expect(['2', 'US.9', 'US.ENT.1', 'US.1'].map(holderOf)).toEqual([undefined, 'b', 'a', 'a'])
  })

  it('brings news by a name that nobody has, not by one that somebody else has', () => {
    const known = world({ '1': 'a', 'US.9': 'b' })
    expect(hasNews(known, passive({ waId: '1', userId: 'US.1' }))).toBe(true)
    expect(hasNews(known, passive({ waId: '1', userId: 'US.9' }))).toBe(false)
    expect(hasNews(known, passive({ waId: '2' }))).toBe(false)
  })

  it('whose card attests a phone, or who was renamed, does nothing by that', () => {
    const known = world({ 'US.1': { customerId: 'a', wabaIds: ['w'] } })
    expect(hasNews(known, passive({ userId: 'US.1', attestedPhones: ['1'] }))).toBe(false)
    const redelivered = { ...renamed({ userId: 'US.1' }, { userId: 'US.2' }), passive: true }
    expect(learned(known, redelivered).holderOf('US.1')).toBe('a')
  })
})

describe('a change of names', () => {
  const change = (minute = 5) =>
    renamed({ waId: '1', userId: 'US.1' }, { waId: '2', userId: 'US.2' }, { minute })
  const ana = () => world({ '+1': 'ana', '1': 'ana', 'US.1': { customerId: 'ana', wabaIds: ['w'] } })

  it('gives the customer the new names, and ends the hold on the old ones in all spellings', () => {
    const { holderOf, known } = learned(ana(), change())
    expect(['2', 'US.2', '1', '+1', 'US.1'].map(holderOf)).toEqual([
      'ana',
      'ana',
      undefined,
      undefined,
      undefined,
    ])
    expect(known.get(keyOf('2'))?.since).toEqual(at(5))
    expect(find(known, person({ waId: '1', minute: 4 })).customerId).toBe('ana')
    expect(find(known, person({ waId: '1', minute: 6 })).customerId).toBeUndefined()
  })

  it('counts before the other messages of its batch', () => {
    const { customers, holderOf } = learned(ana(), person({ waId: '1', minute: 9 }), change())
    expect(customers).toMatchObject([{ id: 'new1' }])
    expect(['1', '2'].map(holderOf)).toEqual(['new1', 'ana'])
  })

  it('that is reported again changes nothing, also if somebody else has the old phone meanwhile', () => {
    const { known } = learned(ana(), change())
    learned(known, person({ waId: '1', userId: 'US.9', minute: 7 }))
    const { conflicts, customers, holderOf } = learned(known, change(6))
    expect([conflicts, customers]).toEqual([[], []])
    expect(['1', 'US.9', '2'].map(holderOf)).toEqual(['new1', 'new1', 'ana'])
  })

  it('that is reported again with the phone joins the customer of that phone', () => {
    const known = world({ '+1': 'crm' })
    learned(known, renamed({ userId: 'US.1' }, { userId: 'US.2' }, { minute: 5 }))
    const { conflicts } = learned(known, change(6))
    expect(conflicts).toMatchObject([
      { alias: { value: 'US.2' }, customerId: 'crm', otherId: 'new1', isProven: true },
    ])
  })

  it('that is reported again within a minute is the change of who gave up the old phone, wherever the new names are', () => {
    const former = [{ customerId: 'a', until: at(10) }]
    const again = (minute: number) =>
      renamed({ waId: '1555' }, { waId: '1777', userId: 'US.2' }, { minute, isWriting: false })
    const known = () => world({ 1555: { former }, 'US.2': 'b' })
    const { conflicts, holderOf } = learned(known(), again(10.5))
    expect(holderOf('1777')).toBe('a')
    expect(conflicts).toMatchObject([{ customerId: 'a', otherId: 'b', isProven: true }])
    expect(learned(known(), again(11.5)).holderOf('1777')).toBe('b')
  })

  it('that is undone by a later one gives the name back', () => {
    const { known } = learned(ana(), change())
    const back = renamed({ waId: '2', userId: 'US.2' }, { waId: '1', userId: 'US.1' }, { minute: 8 })
    const { holderOf } = learned(known, back)
    expect(['1', 'US.1', '2'].map(holderOf)).toEqual(['ana', 'ana', undefined])
    const late = learned(known, change(5))
    expect(['1', '2'].map(late.holderOf)).toEqual(['ana', undefined])
  })

  it('of somebody unknown makes a customer of the new names, and notes the old ones', () => {
    const { customers, known } = learned(world({}), change())
    expect(customers).toMatchObject([{ id: 'new1' }])
    expect(find(known, person({ waId: '1', minute: 3 })).customerId).toBe('new1')
    expect(find(known, person({ waId: '1', minute: 6 })).customerId).toBeUndefined()
  })

  it('of somebody known by the new names only is that customer’s', () => {
    const known = world({ '2': 'ana' })
    expect(find(known, change()).customerId).toBe('ana')
    expect(learned(known, change()).customers).toEqual([])
  })

  it('to a phone or an id of another customer is a proven conflict; the id moves at once, the phone does not', () => {
    const known = new Map([...ana(), ...world({ '2': 'other', 'US.2': 'other' })])
    const { conflicts, holderOf } = learned(known, change())
    expect(conflicts.map(({ alias, isProven, announced }) => [alias.value, isProven, announced])).toEqual([
      ['2', true, { at: at(5), id: { value: 'US.2', wabaId: 'w' } }],
      ['US.2', true, { at: at(5), id: { value: 'US.2', wabaId: 'w' } }],
    ])
    expect(['2', 'US.2'].map(holderOf)).toEqual(['other', 'ana'])
  })

  it('without a new id, without a WABA, or without a time says nothing about an earlier holder of the phone', () => {
    const known = () => world({ '1': 'ana', '2': 'other' })
    const [byPhone] = learned(known(), renamed({ waId: '1' }, { waId: '2' })).conflicts
    const nowhere = { ...change(), wabaId: undefined }
    const [unplaced] = learned(known(), nowhere).conflicts
    const [timeless] = learned(known(), { ...change(), at: undefined }).conflicts
    expect([byPhone, unplaced, timeless].map((conflict) => conflict?.announced)).toEqual([
      { at: at(1), id: undefined },
      { at: at(5), id: { value: 'US.2', wabaId: undefined } },
      undefined,
    ])
  })

  it('to a parent id of another customer moves that id too', () => {
    const known = new Map([...ana(), ...world({ 'US.ENT.2': 'other' })])
    const { conflicts, holderOf } = learned(known, renamed({ waId: '1' }, { parentUserId: 'US.ENT.2' }))
    expect(conflicts).toMatchObject([{ alias: { kind: 'parent_bsuid' }, isProven: true }])
    expect(holderOf('US.ENT.2')).toBe('ana')
  })

  it('whose old id is known as another customer’s joins that customer', () => {
    const known = world({ '1': 'ana', 'US.1': 'other' })
    const { conflicts } = learned(known, change())
    expect(conflicts).toMatchObject([{ alias: { value: 'US.1' }, otherId: 'other', isProven: true }])
  })

  it('to another spelling of the same phone keeps that spelling', () => {
    const known = world({ '5511987654321': 'ana' })
    const { holderOf } = learned(known, renamed({ waId: '5511987654321' }, { waId: '551187654321' }))
    expect(['551187654321', '5511987654321'].map(holderOf)).toEqual(['ana', undefined])
  })

  it('without a time ends no hold', () => {
    const { holderOf } = learned(ana(), { ...change(), at: undefined })
    expect(['1', '2'].map(holderOf)).toEqual(['ana', 'ana'])
  })

  it('of which only a late message of the old name comes finds the customer of that time', () => {
    const { known } = learned(ana(), change())
    const late = learned(known, person({ waId: '1', userId: 'US.7', minute: 4 }))
    expect([late.customers, late.holderOf('1'), late.holderOf('US.7')]).toEqual([[], undefined, 'ana'])
  })

  it('leaves an old name that the customer of that time had with another id: the late id is proven', () => {
    const known = world({
      '1': { customerId: 'new', since: at(5), former: [{ customerId: 'ana', until: at(5) }] },
      'US.1': { customerId: 'x', former: [{ customerId: 'b', until: at(5) }] },
    })
    const { conflicts, known: after } = learned(known, person({ waId: '1', userId: 'US.1', minute: 4 }))
    expect(conflicts).toMatchObject([
      { customerId: 'ana', otherId: 'b', isProven: true, announced: undefined },
    ])
    expect(after.get(keyOf('US.1'))?.former).toEqual([{ customerId: 'ana', until: at(5) }])
  })
})

describe('a BSUID that is new at its WABA', () => {
  it('is noted with the customer’s hold on the phone, and the ids that the batch brought before', () => {
    const known = world({ '1': { customerId: 'a', since: at(3) } })
    const { newIds, known: after } = learned(
      known,
      person({ waId: '1', userId: 'US.1' }),
      person({ waId: '1', userId: 'US.2' }),
    )
    const noted = { orgId: 'o', customerId: 'a', wabaId: 'w', wasKnown: true, since: at(3) }
    expect(newIds).toEqual([
      { ...noted, value: 'US.1', others: 0 },
      { ...noted, value: 'US.2', others: 1 },
    ])
    expect(after.get(keyOf('US.1'))?.since).toEqual(at(3))
  })

  it('has no others where the batch brought the id of the phone before a change', () => {
    const known = world({
      '1': { customerId: undefined, former: [{ customerId: 'a', until: at(9) }] },
      '2': { customerId: 'a', since: at(9) },
    })
    const { newIds } = learned(
      known,
      person({ waId: '1', userId: 'US.1', minute: 5 }),
      person({ waId: '2', userId: 'US.2', minute: 8 }),
      person({ waId: '2', userId: 'US.3', minute: 10 }),
    )
    expect(newIds.map(({ value, others }) => [value, others])).toEqual([
      ['US.1', 0],
      ['US.2', 0],
      ['US.3', 1],
    ])
  })

  it('is noted as that of a new phone for a new customer', () => {
    const { newIds } = learned(world({}), person({ waId: '1', userId: 'US.1' }))
    expect(newIds).toMatchObject([{ wasKnown: false, since: null }])
  })

  it('is not noted without a phone, without a WABA, and for somebody who did not write', () => {
    const known = () => world({ '1': 'a', 'US.1': 'a' })
    const of = (who: Person) => learned(known(), who).newIds
    expect(of(person({ userId: 'US.1', parentUserId: 'US.ENT.1' }))).toEqual([])
    expect(of({ ...person({ waId: '1', userId: 'US.2' }), wabaId: undefined })).toEqual([])
    expect(of(person({ waId: '1', userId: 'US.2', isWriting: false }))).toEqual([])
  })
})

describe('a contact card', () => {
  it('with one phone asks for the customer of that phone', () => {
    const known = world({ '+2250768123456': 'awa', '+2250568123456': 'bintou' })
    const asked = { ...person({ waId: '22568123456', userId: 'CI.1' }), attestedPhones: ['22568123456'] }
    expect(learned(known, asked).ambiguities).toMatchObject([{ fits: ['bintou', 'awa'], isCard: false }])
  })

  it('with several phones joins nobody, and names the customers who have them', () => {
    const known = world({ '+1': 'a', '2': 'b', 'US.1': 'c' })
    const sender = person({ userId: 'US.1', attestedPhones: ['1', '2', '3'] })
    const { ambiguities, conflicts, holderOf } = learned(known, sender)
    expect(ambiguities).toEqual([{ orgId: 'o', customerId: 'c', fits: ['a', 'b'], isCard: true }])
    expect([conflicts, holderOf('US.1')]).toEqual([[], 'c'])
    expect(holdersOfPhones(known, sender, ['3'])).toEqual([])
  })
})
