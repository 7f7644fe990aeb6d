import { expect, it } from 'vitest'
import { type Alias, aliasKey } from '../../src/identity/aliases.ts'
import { announcePhone } from '../../src/identity/announced-phones.ts'
import type { Holding, Holdings } from '../../src/identity/holdings.ts'

const at = (minute: number) => new Date(minute * 60_000)
const alias: Alias = { kind: 'wa_id', value: '1' }
const phone: Alias = { kind: 'phone', value: '+1' }
const held = (customerId: string | undefined, more: Partial<Holding> = {}): Holding => ({
  customerId,
  since: null,
  wabaIds: [],
  former: [],
  ...more,
})

function announce(names: [Alias, Holding][]) {
  const known: Holdings = new Map(names.map(([name, holding]) => [aliasKey('o', name), holding]))
  const changed = announcePhone(known, { orgId: 'o', alias, customerId: 'a', at: at(5) })
  for (const { alias: name, holding } of changed) expect(known.get(aliasKey('o', name))).toBe(holding)
  return changed.map(({ alias: name, holding }) => [name.value, holding])
}

it('an announced phone that nobody has is the customer’s from then on, as it was announced', () => {
  expect(announce([])).toEqual([['1', held('a', { since: at(5) })]])
})

it('an announced phone of the customer is known to be so from then on, in every spelling', () => {
  expect(announce([[phone, held('a')]])).toEqual([
    ['1', held('a', { since: at(5) })],
    ['+1', held('a', { since: at(5) })],
  ])
  expect(announce([[alias, held('a', { since: at(7) })]])).toEqual([])
})

it('an announced phone of somebody else changes hands', () => {
  const former = [{ customerId: 'b', until: at(5) }]
  expect(announce([[alias, held('b')]])).toEqual([['1', held('a', { since: at(5), former })]])
})
