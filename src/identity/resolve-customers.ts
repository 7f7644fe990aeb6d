import { v7 as uuidv7 } from 'uuid'
import { type AuditEvent, insertEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { run, send } from '../db/statement.ts'
import { aliasKey } from './aliases.ts'
import { withAttestedPhones } from './attested-phones.ts'
import { find, hasNews } from './find.ts'
import { addFormer, readAliases, readFormerAliases } from './find-customers.ts'
import type { Holdings } from './holdings.ts'
import { isRenamed, learn } from './learn.ts'
import type { Ambiguity } from './lesson.ts'
import { type CustomerKey, type LockedCustomer, lockCustomers } from './lock-customers.ts'
import { lockNames } from './lock-names.ts'
import { holdersOf } from './lock-people.ts'
import { readNewIdentities } from './new-identities.ts'
import { namesToLookUp, type Person } from './person.ts'
import { resolveConflicts } from './resolve-conflicts.ts'
import { insertCustomers, writeNames } from './write-names.ts'

/**
 * The customer id of every person, in their order, undefined for a passive person whom no name leads to; and the
 * customers that were locked meanwhile, which the caller need not lock again.
 */
export type Resolved = { customerIds: (string | undefined)[]; locked: LockedCustomer[] }

/**
 * `known`: what `readAliases` gave for these people, where it was read already; `news`: those of them who have news by it,
 * where that is known already; `along`: customers to lock as well.
 */
type Given = { known?: Holdings; news?: Person[]; along?: CustomerKey[] }

/**
 * Finds the customers of people. Any unknown person who is not passive becomes a customer, new names are remembered, and
 * names that lead to two customers are resolved. Without news it takes one query however many people there are, and none
 * when `known` is given. Call it inside a transaction, once for all people, and before any customer is locked: with
 * news it locks the names, and then every customer whom the names of these people lead to, and those in `along`, so that
 * the caller's own lock of its customers waits for nothing.
 * @throws RetryError when a customer was merged into another one meanwhile
 */
export async function resolvePeople(tx: Db, people: Person[], given: Given = {}): Promise<Resolved> {
  const { along = [], known = await run(tx, readAliases(people)) } = given
  const news = given.news ?? people.filter((person) => hasNews(known, person))
  const locked = news.length > 0 ? await remember(tx, { everybody: people, news, known, along }) : []
  const customerIds = people.map((person) => {
    const { customerId } = find(known, person)
    if (!customerId && !person.passive) throw new Error('a person without any name reached identity')
    return customerId
  })
  return { customerIds, locked }
}

/**
 * Finds the customers of people as `resolvePeople` does, and reads their names only once, under the locks: most of these people
 * are new. It locks their customers, and the customers in `along`, even if nobody has news.
 */
export async function lockAndResolve(
  tx: Db,
  people: Person[],
  along: CustomerKey[],
): Promise<(string | undefined)[]> {
  if (people.length === 0) await run(tx, lockCustomers(along))
  return (await resolvePeople(tx, people, { known: new Map(), news: people, along })).customerIds
}

/** The customer ids of `resolvePeople`. */
export async function resolveCustomers(tx: Db, people: Person[]): Promise<(string | undefined)[]> {
  return (await resolvePeople(tx, people)).customerIds
}

/**
 * `resolveCustomers` for one person who is not passive, and so always is a customer afterwards.
 * @throws Error for a person without any name
 */
export async function resolveCustomer(tx: Db, person: Person): Promise<string> {
  const [customerId] = await resolveCustomers(tx, [{ ...person, passive: false }])
  if (!customerId) throw new Error('a person without any name reached identity')
  return customerId
}

type Learning = { everybody: Person[]; news: Person[]; known: Holdings; along: CustomerKey[] }

/**
 * Learns the names of the people with news under the locks of their names; `known` is brought up to date.
 * @returns the customers whom it locked: those in `along`, and all whom a name of anybody leads to
 */
async function remember(tx: Db, { everybody, news, known, along }: Learning): Promise<LockedCustomer[]> {
  // A name that was given up leads others elsewhere from then on, so everybody is looked at again.
  const people = news.some(isRenamed) ? everybody : news
  const [, current, former] = await send(tx, [
    lockNames(people),
    readAliases(people),
    readFormerAliases(people),
  ])
  for (const { orgId, ...person } of people) {
    for (const alias of namesToLookUp(person)) known.delete(aliasKey(orgId, alias))
  }
  for (const [key, holding] of current) known.set(key, holding)
  addFormer(known, former)
  // Before the first write: a foreign key locks the customer of a name as well.
  const customers = [...holdersOf(known), ...along]
  const locked = await run(tx, lockCustomers(customers))
  const lesson = learn(await withAttestedPhones(tx, people, known), known, uuidv7)
  const [newIdentities] = await send(tx, [
    readNewIdentities(lesson.newIds),
    insertCustomers(lesson.customers),
    ...writeNames([...lesson.names.values()]),
  ])
  await run(tx, insertEvents([...lesson.ambiguities.map(ambiguity), ...newIdentities]))
  if (lesson.conflicts.length === 0) return locked
  await resolveConflicts(tx, lesson.conflicts, known)
  // A customer may have taken over the address of another one.
  return locked.map((customer) => ({ ...customer, waId: null }))
}

function ambiguity({ orgId, customerId, fits, isCard }: Ambiguity): AuditEvent {
  return {
    orgId,
    kind: 'customer.ambiguous',
    actor: 'identity',
    reason: isCard
      ? 'the contact card names several phones; the sender was joined with none of their customers'
      : 'several customers have another spelling of this phone; none was guessed',
    customerId,
    after: { fits },
  }
}
