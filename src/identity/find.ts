import { type Alias, aliasKey, synonymsOf } from './aliases.ts'
import { firstHolder, type Holding, type Holdings, holderAt, ONE_CHANGE_MS } from './holdings.ts'
import { type Person, phoneNames } from './person.ts'

/**
 * The customer behind a person. `phone`: the holding of the phone that led there, if the customer has it now. `fits`: the
 * customers who have one of the phone's other spellings, when several do.
 */
export type Found = { customerId: string | undefined; phone: Holding | undefined; fits: string[] }

/**
 * The customer to whom the names lead: by the exact phone, else by another spelling of the phone if just one customer
 * has any, else by Meta's ids (docs/rules.md#who-wrote). A person whom Meta renamed is found by the former names and, if
 * these lead to nobody, by the new ones.
 */
export function find(known: Holdings, person: Person): Found {
  const { phones, variants, rivals, ids, announced } = person
  const renamed = findRenamed(known, person)
  if (renamed) return { customerId: renamed, phone: undefined, fits: [] }
  const exact = firstHolder(known, person, phones)
  if (exact) return { customerId: exact, phone: heldNow(known, person, phones, exact), fits: [] }
  const reported = findReported(known, person)
  if (reported) return { customerId: reported, phone: undefined, fits: [] }
  const fits = variants.length === 0 ? [] : fitting(known, person, variants, rivals)
  const [only, ...others] = fits
  if (only !== undefined && others.length === 0) {
    return { customerId: only, phone: heldNow(known, person, variants, only), fits: [] }
  }
  const customerId =
    firstHolder(known, person, ids) ?? firstHolder(known, person, announced.flatMap(synonymsOf))
  return { customerId, phone: undefined, fits }
}

/**
 * The customer of whom a change of names is known already: who has a new name and gave up an old one. Meta reports the
 * change to each number of a company, at slightly different times, and somebody else may have an old name meanwhile.
 */
function findRenamed(known: Holdings, { orgId, at, phones, givenUp, announced }: Person): string | undefined {
  if (givenUp.length === 0 || announced.length === 0) return undefined
  const customerId = firstHolder(known, { orgId, at }, announced.flatMap(synonymsOf))
  const gaveUp = (alias: Alias) =>
    known.get(aliasKey(orgId, alias))?.former.some((former) => former.customerId === customerId)
  // A report that names the phone is news of it where earlier ones named ids only.
  const old = phones.length > 0 ? phones : givenUp
  return old.some(gaveUp) ? customerId : undefined
}

/**
 * The customer whose change another report announced a moment before: one who gave up an old name that nobody has now.
 * Late reports of earlier changes may have taken the new names from the customer since.
 */
function findReported(known: Holdings, { orgId, at, phones, givenUp }: Person): string | undefined {
  if (givenUp.length === 0 || !at) return undefined
  const before = new Date(at.getTime() - ONE_CHANGE_MS)
  return firstHolder(known, { orgId, at: before }, [...phones, ...givenUp.flatMap(synonymsOf)])
}

/** The customers who have a variant and none of the rivals. */
function fitting(known: Holdings, person: Person, variants: Alias[], rivals: Alias[]): string[] {
  const holders = (aliases: Alias[]) =>
    aliases.map((alias) => holderAt(known.get(aliasKey(person.orgId, alias)), person.at))
  const rival = holders(rivals)
  const fits = holders(variants).filter((id) => id !== undefined)
  return [...new Set(fits)].filter((id) => !rival.includes(id))
}

/** The customers who have one of these phones (digits), in any spelling. */
export function holdersOfPhones(known: Holdings, { orgId, at }: Person, phones: string[]): string[] {
  const names = phones.map(phoneNames).flatMap((of) => [...of.phones, ...of.variants])
  const holders = names.map((name) => holderAt(known.get(aliasKey(orgId, name)), at))
  return [...new Set(holders.filter((id) => id !== undefined))]
}

function heldNow(
  known: Holdings,
  { orgId }: Person,
  aliases: Alias[],
  customerId: string,
): Holding | undefined {
  for (const alias of aliases) {
    const holding = known.get(aliasKey(orgId, alias))
    if (holding?.customerId === customerId) return holding
  }
  return undefined
}

/** True for an unknown person, a name not seen before, and a name that leads to another customer. */
export function hasNews(known: Holdings, person: Person): boolean {
  const { passive, givenUp, announced, attestedPhones, names } = person
  const isChanging = givenUp.length > 0 || announced.length > 0 || attestedPhones.length > 0
  if (isChanging && !passive) return true
  const { customerId } = find(known, person)
  if (!customerId) return !passive
  return names.some((name) => isNews(known, person, name, customerId))
}

function isNews(
  known: Holdings,
  { orgId, wabaId, at, passive }: Person,
  name: Alias,
  customerId: string,
): boolean {
  const holding = known.get(aliasKey(orgId, name))
  if (holding?.customerId === undefined) return true
  if (at && holding.since && at <= holding.since) return true
  if (holding.customerId !== customerId) return !passive
  return name.kind === 'bsuid' && wabaId !== undefined && !holding.wabaIds.includes(wabaId)
}
