import type { CustomerKey } from '../identity/lock-customers.ts'
import { type Pair, pairKey } from '../rules/keys.ts'
import type { Arrival } from './plan.ts'

/** The customers of these items. */
export function customersOf(items: { orgId: string; customerId: string | undefined }[]): CustomerKey[] {
  return items.flatMap(({ orgId, customerId }) => (customerId ? [{ orgId, id: customerId }] : []))
}

/** The pairs of customer and number to which these messages belong, each once. */
export function pairsOf(arrivals: Arrival[]): Pair[] {
  const pairs = arrivals.flatMap(({ orgId, customerId, message: { phoneId } }) =>
    customerId ? [{ orgId, customerId, phoneId }] : [],
  )
  return [...new Map(pairs.map((pair) => [pairKey(pair), pair])).values()]
}

/** The keys under which these messages stand in the ledger. */
export function ledgerEntriesOf(arrivals: Arrival[]): { orgId: string; wamid: string }[] {
  return arrivals.map(({ orgId, message: { wamid } }) => ({ orgId, wamid }))
}
