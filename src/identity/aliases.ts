import type { Sender } from '../webhook/sender.ts'
import { phoneVariants } from './phone.ts'

/** One name of a customer inside an org. */
export type Alias = { kind: 'phone' | 'wa_id' | 'bsuid' | 'parent_bsuid'; value: string }

/** A person as one org may know them: every org has customers of its own. */
export type Person = Identity & { orgId: string }

/**
 * The names by which a person is found: by `phones` first, exactly, then by `variants` (other spellings of the phone,
 * if just one customer fits), then by `ids`. `names` are the names to remember.
 */
export type Identity = {
  phones: Alias[]
  variants: Alias[]
  ids: Alias[]
  names: Alias[]
  profileName: string | undefined
  /** True: names are only added to a known customer; no customer is made and no name is moved. */
  passive: boolean
}

/** The sender of a message. The phone decides, being the key of the rules; Meta's names are remembered verbatim. */
export function identityOf(sender: Sender): Identity {
  const { waId, profileName, rename } = sender
  const ids = idsOf(sender)
  const now = rename ? [...waIds(rename.to.waId), ...idsOf(rename.to)] : []
  return { ...phonesOf(waId), ids, names: [...waIds(waId), ...ids, ...now], profileName, passive: false }
}

/** `identityOf`, in one org. */
export function personOf(orgId: string, sender: Sender): Person {
  return { orgId, ...identityOf(sender) }
}

/** The owner of a phone (E.164 with its plus) that the CRM gave. */
export function personOfPhone(orgId: string, phone: string): Person {
  const names: Alias[] = [{ kind: 'phone', value: phone }]
  return { orgId, ...phonesOf(phone.slice(1)), ids: [], names, profileName: undefined, passive: false }
}

/** One string for an alias of an org, fit as a map key. */
export function aliasKey(orgId: string, alias: Alias): string {
  return `${orgId}\n${alias.kind}\n${alias.value}`
}

/** True for Meta's ids, which follow the customer that the phone decides for. */
export function isId(alias: Alias): boolean {
  return alias.kind === 'bsuid' || alias.kind === 'parent_bsuid'
}

/** The names that mean the same: a phone as `wa_id` and as E.164; an id has no other spelling. */
export function synonymsOf(alias: Alias): Alias[] {
  if (alias.kind === 'wa_id') return spellings(alias.value)
  return alias.kind === 'phone' ? spellings(alias.value.slice(1)) : [alias]
}

/** A phone may be known as a `wa_id` (from messages) or as E.164 (from the CRM). */
function phonesOf(digits: string | undefined): { phones: Alias[]; variants: Alias[] } {
  if (digits === undefined) return { phones: [], variants: [] }
  return { phones: spellings(digits), variants: phoneVariants(digits).flatMap(spellings) }
}

function spellings(digits: string): Alias[] {
  return [
    { kind: 'wa_id', value: digits },
    { kind: 'phone', value: `+${digits}` },
  ]
}

function waIds(waId: string | undefined): Alias[] {
  return waId ? [{ kind: 'wa_id', value: waId }] : []
}

function idsOf({
  userId,
  parentUserId,
}: {
  userId: string | undefined
  parentUserId: string | undefined
}): Alias[] {
  const ids: Alias[] = []
  if (userId) ids.push({ kind: 'bsuid', value: userId })
  if (parentUserId) ids.push({ kind: 'parent_bsuid', value: parentUserId })
  return ids
}
