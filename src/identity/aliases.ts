/** One name of a customer inside an org. */
export type Alias = { kind: 'phone' | 'wa_id' | 'bsuid' | 'parent_bsuid'; value: string }

/** One string for an alias of an org, fit as a map key. */
export function aliasKey(orgId: string, alias: Alias): string {
  return `${orgId}\n${alias.kind}\n${alias.value}`
}

/** The org of an `aliasKey`; ids of orgs have no line breaks (src/orgs/provision-file.ts). */
export function orgOfKey(key: string): string {
  return key.slice(0, key.indexOf('\n'))
}

/** True for Meta's ids, which follow the customer that the phone decides for. */
export function isId(alias: Alias): boolean {
  return alias.kind === 'bsuid' || alias.kind === 'parent_bsuid'
}

/** The names that mean the same: a phone as `wa_id` and as E.164; an id has no other spelling. */
export function synonymsOf(alias: Alias): Alias[] {
  if (alias.kind === 'wa_id') return phoneAliases(alias.value)
  return alias.kind === 'phone' ? phoneAliases(alias.value.slice(1)) : [alias]
}

/**
 * What the names that mean the same have in common: the digits of a phone in either spelling. `COMMON_NAME` is the same in SQL,
 * and an index has it, so that both spellings are found at one place. Ids stay as they are, since none begins with a plus.
 */
export function commonName({ value }: Alias): string {
  return value.replace(/^\++/, '')
}

/** SQL: `commonName` of a row `a` of customer_aliases. */
export const COMMON_NAME = `ltrim(a.value, '+')`

/** The names of a phone, given as digits: it may be known as a `wa_id` (from messages) or as E.164 (from the CRM). */
export function phoneAliases(digits: string): Alias[] {
  return [
    { kind: 'wa_id', value: digits },
    { kind: 'phone', value: `+${digits}` },
  ]
}
