import type { LockedCustomer } from '../identity/lock-customers.ts'
import type { Arrival } from './planned.ts'

/** A customer wrote from this `wa_id`, or Meta announced it, at that time. */
export type SeenAddress = { orgId: string; customerId: string; waId: string; at: Date }

/**
 * The addresses that these messages show, of the customers for whom they may be news: of whom none is known, who was
 * locked before the addresses were read, or of whom one message shows another than the known one. All the addresses of
 * such a customer are given, since the latest of them counts.
 */
export function seenAddresses(arrivals: Arrival[], locked: LockedCustomer[]): SeenAddress[] {
  const known = new Map<string, LockedCustomer>()
  for (const customer of locked) known.set(customer.id, customer)
  const news = new Set<string>()
  for (const arrival of arrivals) {
    const { orgId, customerId } = arrival
    const waId = waIdOf(arrival)
    if (!customerId || !waId) continue
    const of = known.get(customerId)
    if (of?.waId !== waId || of.orgId !== orgId) news.add(customerId)
  }
  if (news.size === 0) return []
  return arrivals.flatMap((arrival) => {
    const { orgId, customerId, message } = arrival
    const waId = waIdOf(arrival)
    return customerId && waId && news.has(customerId) ? [{ orgId, customerId, waId, at: message.sentAt }] : []
  })
}

/** The `wa_id` at which the customer is reached, as this message says. */
function waIdOf({ message: { nature, sender } }: Arrival): string | undefined {
  if (nature === 'customer' || nature === 'standby') return sender.waId
  return nature === 'system' ? sender.rename?.to.waId : undefined
}
