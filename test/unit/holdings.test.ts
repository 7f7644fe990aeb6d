import { describe, expect, it } from 'vitest'
import { confirm, giveUp, type Holding, handOver, holderAt, move, take } from '../../src/identity/holdings.ts'

const at = (minute: number) => new Date(minute * 60_000)
const held = (customerId: string | undefined, more: Partial<Holding> = {}): Holding => ({
  customerId,
  since: null,
  wabaIds: [],
  former: [],
  ...more,
})
const former = (customerId: string, until: number) => ({ customerId, until: at(until) })

describe('a name', () => {
  const name = held('b', { since: at(5), former: [former('a', 5)] })

  it('is, at a time, of the customer who had it then, that minute included', () => {
    expect([4, 5, 6].map((minute) => holderAt(name, at(minute)))).toEqual(['a', 'a', 'b'])
    expect(holderAt(name, undefined)).toBe('b')
    expect(holderAt(undefined, at(1))).toBeUndefined()
  })

  it('that a customer takes is that customer’s from the end of the last holder, or from its announcement', () => {
    expect(take(undefined, 'c', null)).toEqual(held('c'))
    expect(take(undefined, 'c', at(3))).toEqual(held('c', { since: at(3) }))
    const gone = held(undefined, { former: [former('a', 5)] })
    expect(take(gone, 'c', null).since).toEqual(at(5))
    expect(take(gone, 'c', at(3)).since).toEqual(at(5))
    expect(take(gone, 'c', at(7))).toEqual(held('c', { since: at(7), former: gone.former }))
  })

  it('that moves goes to the other customer for the time in question only', () => {
    expect(move(name, 'c', at(9)).customerId).toBe('c')
    expect(move(name, 'c', undefined).customerId).toBe('c')
    const twice = held('d', { former: [former('a', 5), former('b', 8)] })
    expect(move(twice, 'c', at(7))).toEqual({ ...twice, former: [former('a', 5), former('c', 8)] })
  })

  it('that is handed over has the other holder from then on', () => {
    expect(handOver(held('a'), 'c', at(4))).toEqual(held('c', { since: at(4), former: [former('a', 4)] }))
    expect(handOver(held(undefined), 'c', at(4))).toEqual(held('c', { since: at(4) }))
  })

  it('that is handed over as of a time before its present holder got it is the other customer’s until then', () => {
    const later = held('a', { since: at(9) })
    expect(handOver(later, 'c', at(4))).toEqual(held('a', { since: at(9), former: [former('c', 9)] }))
  })

  it('that its holder confirms keeps the latest announcement, and each WABA once', () => {
    const seen = held('a', { since: at(5), wabaIds: ['w'] })
    expect(confirm(seen, { announced: at(3), wabaId: 'w' })).toBe(seen)
    expect(confirm(seen, { announced: null, wabaId: undefined })).toBe(seen)
    expect(confirm(seen, { announced: at(7), wabaId: 'w' })).toEqual({ ...seen, since: at(7) })
    expect(confirm(seen, { announced: null, wabaId: 'v' })).toEqual({ ...seen, wabaIds: ['w', 'v'] })
  })
})

describe('a name that is given up', () => {
  const given = (holding: Holding | undefined, isNamed: boolean) =>
    giveUp(holding, { customerId: 'a', until: at(5), isNamed })
  const gone = held(undefined, { former: [former('a', 5)] })

  it('has no holder afterwards', () => {
    expect(given(held('a', { since: at(2) }), true)).toEqual(gone)
    expect(given(held('a'), false)).toEqual(gone)
  })

  it('stays with a customer who took it again later', () => {
    expect(given(held('a', { since: at(9) }), true)).toBeUndefined()
  })

  it('stays with somebody else who has it', () => {
    expect(given(held('b'), true)).toBeUndefined()
  })

  it('was the customer’s even if nobody knew, if Meta named it', () => {
    expect(given(undefined, true)).toEqual(gone)
    expect(given(undefined, false)).toBeUndefined()
  })

  it('was given up already', () => {
    expect(given(gone, true)).toBeUndefined()
    expect(given(held(undefined, { former: [former('a', 3)] }), true)).toBeUndefined()
    expect(given(held(undefined, { former: [former('b', 9)] }), true)).toBeUndefined()
    expect(given(held(undefined, { former: [former('b', 3)] }), true)?.former).toEqual([
      former('b', 3),
      former('a', 5),
    ])
  })
})
