import type { CustomerKey } from '../identity/lock-customers.ts'
import { type Pair, pairKey } from '../rules/keys.ts'
import type { Arrival } from './planned.ts'

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

/** The ledger keys of these messages, and of the messages that reactions, edits and revokes among them name. */
export function ledgerEntriesOf(arrivals: Arrival[]): { orgId: string; wamid: string }[] {
  return arrivals.flatMap(({ orgId, message: { wamid, target } }) =>
    target === undefined
      ? [{ orgId, wamid }]
      : [
          { orgId, wamid },
          { orgId, wamid: target },
        ],
  )
}
