/** A customer at a number of an org: routing chooses among the chatrooms of a pair. */
export type Pair = { orgId: string; customerId: string; phoneId: string }

/** One string for a pair, fit as a map key. */
export function pairKey(pair: Pair): string {
  return `${pair.orgId}\n${pair.customerId}\n${pair.phoneId}`
}

/** One string for a message of an org, fit as a map key. */
export function ledgerKey(message: { orgId: string; wamid: string }): string {
  return `${message.orgId}\n${message.wamid}`
}
