import { describe, expect, it } from 'vitest'
import { type Alias, aliasKey } from '../../src/identity/aliases.ts'
import type { Holdings } from '../../src/identity/holdings.ts'
import { personOfPlusName, planRepair } from '../../src/identity/plan-repair.ts'

const name = (value: string) => ({ orgId: 'o', value, digits: value.replace(/\D/g, '') })

/** Names and their holders; a name of the CRM is written as `phone +1`, any other one is a `wa_id`. */
function world(names: Record<string, string>): Holdings {
  const holding = { since: null, wabaIds: [], former: [] }
  const aliasOf = (text: string): Alias =>
    text.startsWith('phone ') ? { kind: 'phone', value: text.slice(6) } : { kind: 'wa_id', value: text }
  return new Map(
    Object.entries(names).map(([text, customerId]) => [
      aliasKey('o', aliasOf(text)),
      { ...holding, customerId },
    ]),
  )
}

const plan = (names: Record<string, string>, ...plus: string[]) => {
  const { renamed, dropped, conflicts } = planRepair(plus.map(name), world(names))
  return {
    renamed: renamed.map(({ value }) => value),
    dropped: dropped.map(({ value }) => value),
    conflicts: conflicts.map(({ customerId, otherId, isProven }) => [customerId, otherId, isProven]),
  }
}

describe('a `wa_id` with a plus', () => {
  it('becomes its digits', () => {
    expect(plan({ '+1 555': 'a' }, '+1 555')).toEqual({ renamed: ['+1 555'], dropped: [], conflicts: [] })
  })

  it('becomes its digits where the CRM knows the same customer by that phone', () => {
    expect(plan({ '+1555': 'a', 'phone +1555': 'a' }, '+1555').renamed).toEqual(['+1555'])
  })

  it('ends where the customer has the digits already', () => {
    expect(plan({ '+1555': 'a', 1555: 'a' }, '+1555')).toEqual({
      renamed: [],
      dropped: ['+1555'],
      conflicts: [],
    })
  })

  it('ends, and its customer is one with the customer whom the digits lead to, in any spelling', () => {
    for (const known of ['5511987654321', 'phone +551187654321']) {
      expect(plan({ '+5511987654321': 'a', [known]: 'b' }, '+5511987654321')).toEqual({
        renamed: [],
        dropped: ['+5511987654321'],
        conflicts: [['b', 'a', true]],
      })
    }
  })

  it('in two spellings of two customers makes them one', () => {
    expect(plan({ '+1 555': 'a', '+1555': 'b' }, '+1 555', '+1555')).toEqual({
      renamed: ['+1 555'],
      dropped: ['+1555'],
      conflicts: [['a', 'b', true]],
    })
  })

  it('that is gone meanwhile is left alone', () => {
    expect(plan({}, '+1555')).toEqual({ renamed: [], dropped: [], conflicts: [] })
  })

  it('is looked up itself, and makes no customer', () => {
    const { names, passive } = personOfPlusName(name('+1 555'))
    expect([names, passive]).toEqual([[{ kind: 'wa_id', value: '+1 555' }], true])
  })
})
