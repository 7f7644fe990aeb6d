import type { LockedCustomer } from '../identity/lock-customers.ts'
import { customerKey } from '../rules/keys.ts'
import type { Arrival } from './planned.ts'

/** A customer wrote from this `wa_id`, or Meta announced it, at that time. */
export type SeenAddress = { orgId: string; customerId: string; waId: string; at: Date }

/**
 * The addresses that these messages show, of the customers for whom they may be news: of whom none is known, who was
 * locked before the addresses were read, or of whom one message shows another than the known one. All the addresses of
 * such a customer are given, since the latest of them counts.
 */
export function seenAddresses(arrivals: Arrival[], locked: LockedCustomer[]): SeenAddress[] {
  const known = new Map(locked.map((customer) => [customerKey(customer), customer.waId]))
  const seen = arrivals.flatMap(addressOf)
  const keyOf = ({ orgId, customerId }: SeenAddress) => customerKey({ orgId, id: customerId })
  const news = new Set(seen.filter((one) => known.get(keyOf(one)) !== one.waId).map(keyOf))
  return seen.filter((one) => news.has(keyOf(one)))
}

function addressOf({ orgId, customerId, message }: Arrival): SeenAddress[] {
  const { nature, sender, sentAt: at } = message
  const isWord = nature === 'customer' || nature === 'standby'
  const waId = isWord ? sender.waId : nature === 'system' ? sender.rename?.to.waId : undefined
  return customerId && waId ? [{ orgId, customerId, waId, at }] : []
}
