import type { CustomerKey } from '../identity/lock-customers.ts'
import { customerKey, type Pair, pairKey } from '../rules/keys.ts'
import type { Identified } from './identify.ts'
import type { Arrival } from './planned.ts'

/** Those of the customers of these items, and of `others`, who are not locked yet. */
export function customersToLock(
  { arrivals, preferences, calls, locked }: Identified,
  others: CustomerKey[],
): CustomerKey[] {
  const done = new Set(locked.map(customerKey))
  const customers = [...arrivals, ...preferences, ...calls].flatMap(({ orgId, customerId }) =>
    customerId ? [{ orgId, id: customerId }] : [],
  )
  return [...customers, ...others].filter((customer) => !done.has(customerKey(customer)))
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
