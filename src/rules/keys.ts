/** One string for a customer at a number, fit as a map key. */
export function pairKey(pair: { orgId: string; customerId: string; phoneId: string }): string {
  return `${pair.orgId}\n${pair.customerId}\n${pair.phoneId}`
}

/** One string for a message of an org, fit as a map key. */
export function ledgerKey(message: { orgId: string; wamid: string }): string {
  return `${message.orgId}\n${message.wamid}`
}
