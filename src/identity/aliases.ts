import type { Sender } from '../webhook/sender.ts'

/** One name of a customer inside an org. */
export type Alias = { kind: 'phone' | 'wa_id' | 'bsuid' | 'parent_bsuid'; value: string }

/**
 * Somebody to be found or made a customer. `lookups`: names to search by, the deciding one first; `names`: those
 * to remember. They differ: a phone from the CRM may be known as a `wa_id` from messages, and the reverse.
 */
export type Person = { orgId: string; lookups: Alias[]; names: Alias[]; profileName: string | undefined }

/** The sender of a message. The phone decides, being the spec's key; Meta's names are remembered verbatim. */
export function personOf(orgId: string, sender: Sender): Person {
  const names: Alias[] = []
  if (sender.waId) names.push({ kind: 'wa_id', value: sender.waId })
  if (sender.userId) names.push({ kind: 'bsuid', value: sender.userId })
  if (sender.parentUserId) names.push({ kind: 'parent_bsuid', value: sender.parentUserId })
  const phone: Alias[] = sender.waId ? [{ kind: 'phone', value: `+${sender.waId}` }] : []
  const byPhone = (a: Alias) => a.kind === 'wa_id'
  const lookups = [...names.filter(byPhone), ...phone, ...names.filter((a) => !byPhone(a))]
  return { orgId, lookups, names, profileName: sender.profileName }
}

/** The owner of a phone (E.164, with its plus) that the CRM gave. */
export function personOfPhone(orgId: string, phone: string): Person {
  const name: Alias = { kind: 'phone', value: phone }
  return {
    orgId,
    lookups: [name, { kind: 'wa_id', value: phone.slice(1) }],
    names: [name],
    profileName: undefined,
  }
}

/** One string for an alias of an org, fit as a map key. */
export function aliasKey(orgId: string, alias: Alias): string {
  return `${orgId}\n${alias.kind}\n${alias.value}`
}
