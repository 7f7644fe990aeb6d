import { type Alias, aliasKey, isId, synonymsOf } from './aliases.ts'
import { type Found, find, hasNews, holdersOfPhones } from './find.ts'
import {
  confirm,
  formerAt,
  giveUp,
  type Holding,
  type Holdings,
  holderAt,
  holderOf,
  move,
  ONE_CHANGE_MS,
  take,
} from './holdings.ts'
import type { Conflict, Lesson, NewCustomer } from './lesson.ts'
import type { Person } from './person.ts'

/**
 * Gives unknown people a customer id, and everybody their names of that time; `known` is brought up to date. Changes of
 * names that Meta announced come first, so that a batch means the same in any order.
 */
export function learn(people: Person[], known: Holdings, newId: () => string): Lesson {
  const lesson: Lesson = { customers: [], names: new Map(), conflicts: [], newIds: [], ambiguities: [] }
  const renamed = people.filter(isRenamed)
  for (const person of renamed) learnPerson(person, known, lesson, newId)
  for (const person of people) {
    if (!isRenamed(person) && hasNews(known, person)) learnPerson(person, known, lesson, newId)
  }
  return lesson
}

/** True for a person of whom Meta announced other names. */
export function isRenamed({ givenUp, announced, passive }: Person): boolean {
  return !passive && givenUp.length + announced.length > 0
}

/** The customer of a person whose names are learned; `phone`: the holding that led to the customer. */
type Learner = Person & { customerId: string; known: Holdings; lesson: Lesson; phone: Holding | undefined }

function learnPerson(person: Person, known: Holdings, lesson: Lesson, newId: () => string): void {
  const { orgId, profileName, passive, attestedPhones } = person
  const found = find(known, person)
  const customerId = found.customerId ?? newId()
  if (!found.customerId) lesson.customers.push({ orgId, id: customerId, profileName, ...addressOf(person) })
  const fits = fitsOf(person, known, found)
  const isCard = attestedPhones.length > 1
  if (fits.length > 0) lesson.ambiguities.push({ orgId, customerId, fits, isCard })
  const learner = { ...person, customerId, known, lesson, phone: found.phone }
  for (const alias of person.names) adopt(learner, alias)
  if (!passive) for (const alias of person.givenUp) letGo(learner, alias)
}

/** Where a new customer is reached. A customer who did not write from a phone has no address yet. */
function addressOf({ isWriting, phones, at }: Person): Pick<NewCustomer, 'waId' | 'waIdAt'> {
  const phone = isWriting && at ? phones.find(({ kind }) => kind === 'wa_id') : undefined
  return { waId: phone?.value, waIdAt: phone && at }
}

/** The customers who might be the person, where none of them was taken for the person. */
function fitsOf(person: Person, known: Holdings, { customerId, fits }: Found): string[] {
  const { attestedPhones } = person
  if (attestedPhones.length > 1) return holdersOfPhones(known, person, attestedPhones)
  return customerId && attestedPhones.length === 0 ? [] : fits
}

/** Makes a name the customer's, or a conflict when another customer has it; a passive person takes no name away. */
function adopt(learner: Learner, alias: Alias): void {
  const { orgId, customerId, at, known, wabaId, phone } = learner
  const holding = known.get(aliasKey(orgId, alias))
  const holder = holderOf(known, learner, alias) ?? customerId
  if (holder !== customerId) {
    dispute(learner, alias, holder)
    return
  }
  const since = announcedAt(learner, alias)
  const isNew = holderAt(holding, at) === undefined
  const startsWithPhone = alias.kind === 'bsuid' ? (phone?.since ?? null) : null
  const held = isNew ? take(holding, customerId, since ?? startsWithPhone) : holding
  // A late message may have a name that the customer gave up since.
  if (held?.customerId !== customerId) return
  const seenAt = alias.kind === 'bsuid' ? wabaId : undefined
  change(learner, alias, confirm(held, { announced: since, wabaId: seenAt }))
  if (isNew) noteNewId(learner, alias)
}

function dispute(learner: Learner, alias: Alias, otherId: string): void {
  const { orgId, customerId, at, known, lesson, passive, wabaId, announced, givenUp } = learner
  if (passive) return
  const holding = known.get(aliasKey(orgId, alias))
  const wasGivenUp = formerAt(holding, at) !== undefined
  const isAnnounced = announced.includes(alias)
  lesson.conflicts.push({
    orgId,
    alias,
    customerId,
    otherId,
    isProven: isAnnounced || wasGivenUp || givenUp.includes(alias),
    announced: isAnnounced && !wasGivenUp ? announcementOf(learner) : undefined,
  })
  // Ids follow the phone; a phone stays until the conflict is resolved.
  if (!holding || !isId(alias)) return
  const seenAt = alias.kind === 'bsuid' ? wabaId : undefined
  const moved = move(holding, customerId, at)
  change(learner, alias, confirm(moved, { announced: announcedAt(learner, alias), wabaId: seenAt }))
  noteNewId(learner, alias)
}

/** When Meta announced the name; null if it did not. */
function announcedAt({ announced, at }: Learner, alias: Alias): Date | null {
  return (announced.includes(alias) && at) || null
}

/** The announcement of a BSUID tells the person apart from an earlier holder of the phone, who had another one. */
function announcementOf({ at, wabaId, announced }: Learner): Conflict['announced'] {
  const id = announced.find(({ kind }) => kind === 'bsuid')
  return at && { at, id: id && { value: id.value, wabaId } }
}

/** Ends the customer's hold on a name, in every spelling of a phone. */
function letGo(learner: Learner, alias: Alias): void {
  const { orgId, customerId, at, known, variants, announced } = learner
  if (!at) return
  const holder = holderOf(known, learner, alias)
  if (holder && holder !== customerId && isId(alias)) dispute(learner, alias, holder)
  const spellings = isId(alias) ? [alias] : [...synonymsOf(alias), ...variants]
  const key = aliasKey(orgId, alias)
  // The new phone may be another spelling of the old one.
  const kept = new Set(announced.flatMap(synonymsOf).map((name) => aliasKey(orgId, name)))
  for (const spelling of spellings) {
    const of = aliasKey(orgId, spelling)
    if (kept.has(of)) continue
    const given = giveUp(known.get(of), { customerId, until: at, isNamed: of === key })
    if (given) change(learner, spelling, given)
  }
}

function change({ orgId, known, lesson }: Learner, alias: Alias, holding: Holding): void {
  const key = aliasKey(orgId, alias)
  if (known.get(key) === holding) return
  known.set(key, holding)
  lesson.names.set(key, { orgId, alias, holding })
}

function noteNewId(
  { orgId, customerId, wabaId, lesson, phone, isWriting, phones }: Learner,
  alias: Alias,
): void {
  if (alias.kind !== 'bsuid' || wabaId === undefined || !isWriting || phones.length === 0) return
  const since = phone?.since ?? null
  const others = lesson.newIds.filter(
    (id) => id.customerId === customerId && id.wabaId === wabaId && isAsNew(id.since, since),
  ).length
  lesson.newIds.push({
    orgId,
    customerId,
    wabaId,
    value: alias.value,
    wasKnown: phone !== undefined,
    since,
    others,
  })
}

/** True for an id that came when the customer had this phone already; as `readNewIdentities` asks of stored ids. */
function isAsNew(of: Date | null, since: Date | null): boolean {
  return since === null || (of !== null && of.getTime() > since.getTime() - ONE_CHANGE_MS)
}
