import type { CustomerKey } from '../identity/lock-customers.ts'
import { type Pair, pairKey } from '../rules/keys.ts'
import { type LedgerEntry, ledgerEntryOf, monthsOfNamed } from '../rules/ledger-months.ts'
import type { Identified } from './identify.ts'
import type { Arrival } from './planned.ts'

/** Those of the customers of these items, and of `others`, who are not locked yet. */
export function customersToLock(
  { arrivals, preferences, calls, locked }: Identified,
  others: CustomerKey[],
): CustomerKey[] {
  const orgOfLocked = new Map<string, string>()
  for (const { orgId, id } of locked) orgOfLocked.set(id, orgId)
  const toLock: CustomerKey[] = []
  const add = (orgId: string, id: string | undefined) => {
    if (id !== undefined && orgOfLocked.get(id) !== orgId) toLock.push({ orgId, id })
  }
  for (const items of [arrivals, preferences, calls]) {
    for (const { orgId, customerId } of items) add(orgId, customerId)
  }
  for (const { orgId, id } of others) add(orgId, id)
  return toLock
}

/** The pairs of customer and number to which these messages belong, each once. */
export function pairsOf(arrivals: Arrival[]): Pair[] {
  const pairs = arrivals.flatMap(({ orgId, customerId, message: { phoneId } }) =>
    customerId ? [{ orgId, customerId, phoneId }] : [],
  )
  return [...new Map(pairs.map((pair) => [pairKey(pair), pair])).values()]
}

/** The ledger keys of these messages, and of the messages that reactions, edits and revokes among them name. */
export function ledgerEntriesOf(arrivals: Arrival[]): LedgerEntry[] {
  return arrivals.flatMap(({ orgId, message: { wamid, target, sentAt } }) => {
    const own = ledgerEntryOf(orgId, { wamid, sentAt })
    return target === undefined ? [own] : [own, { orgId, wamid: target, months: monthsOfNamed(sentAt) }]
  })
}
