import { type Alias, aliasKey, isId, synonymsOf } from './aliases.ts'
import { find, hasNews } from './find.ts'
import {
  confirm,
  formerAt,
  giveUp,
  type Holding,
  type Holdings,
  holderAt,
  holderOf,
  move,
  take,
} from './holdings.ts'
import type { Person } from './person.ts'

export type NewCustomer = { orgId: string; id: string; profileName: string | undefined }

/**
 * A name of `customerId` that led to `otherId` until now. `isProven`: Meta says that it is the same person's name.
 * `announced`: Meta announced the name then, at a number of this WABA.
 */
export type Conflict = {
  orgId: string
  alias: Alias
  customerId: string
  otherId: string
  isProven: boolean
  announced: { at: Date; wabaId: string } | undefined
}

/** A name whose holding changed. */
export type ChangedName = { orgId: string; alias: Alias; holding: Holding }

/**
 * A BSUID under which a phone wrote for the first time, at a number of this WABA. `wasKnown`: the phone was known before.
 * `since`: the customer has the phone since then, and a change of phones changes the BSUID. `others`: how many such ids
 * the same batch brought before this one.
 */
export type NewId = {
  orgId: string
  customerId: string
  wabaId: string
  value: string
  wasKnown: boolean
  since: Date | null
  others: number
}

/** A phone whose other spellings several customers have. */
export type Ambiguity = { orgId: string; customerId: string; fits: string[] }

/** What the names of some people teach. */
export type Lesson = {
  customers: NewCustomer[]
  /** By `aliasKey`. */
  names: Map<string, ChangedName>
  conflicts: Conflict[]
  newIds: NewId[]
  ambiguities: Ambiguity[]
}

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
  if (!found.customerId && passive) return
  const customerId = found.customerId ?? newId()
  if (!found.customerId) lesson.customers.push({ orgId, id: customerId, profileName })
  const isAsked = !found.customerId || attestedPhones.length > 0
  if (isAsked && found.fits.length > 1) lesson.ambiguities.push({ orgId, customerId, fits: found.fits })
  const learner = { ...person, customerId, known, lesson, phone: found.phone }
  for (const alias of person.names) adopt(learner, alias)
  for (const alias of person.givenUp) letGo(learner, alias)
}

/** Makes a name the customer's, or a conflict when another customer has it; a passive person takes no name away. */
function adopt(learner: Learner, alias: Alias): void {
  const { orgId, customerId, at, known, announced, wabaId, phone } = learner
  const holding = known.get(aliasKey(orgId, alias))
  const holder = holderOf(known, learner, alias) ?? customerId
  if (holder !== customerId) {
    dispute(learner, alias, holder)
    return
  }
  const since = announced.includes(alias) ? (at ?? null) : null
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
  if (!isId(alias) || !holding) return
  const seenAt = alias.kind === 'bsuid' ? wabaId : undefined
  const moved = move(holding, customerId, at)
  change(learner, alias, confirm(moved, { announced: isAnnounced ? (at ?? null) : null, wabaId: seenAt }))
  noteNewId(learner, alias)
}

/** The announcement of a BSUID tells the person apart from an earlier holder of the phone, who had another one. */
function announcementOf({ at, wabaId, announced }: Learner): Conflict['announced'] {
  const namesId = announced.some(({ kind }) => kind === 'bsuid')
  return at && wabaId !== undefined && namesId ? { at, wabaId } : undefined
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
  const others = lesson.newIds.filter((id) => id.customerId === customerId && id.wabaId === wabaId).length
  lesson.newIds.push({
    orgId,
    customerId,
    wabaId,
    value: alias.value,
    wasKnown: phone !== undefined,
    since: phone?.since ?? null,
    others,
  })
}
