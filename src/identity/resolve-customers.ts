import { v7 as uuidv7 } from 'uuid'
import type { Db } from '../db/client.ts'
import { columns, text } from '../db/columns.ts'
import { nothing, over, run, type Statement, send } from '../db/statement.ts'
import { type Alias, aliasKey, isId, type Person } from './aliases.ts'
import { find, type KnownAliases, ownerOf, readAliases } from './find-customers.ts'
import { insertAliases, insertCustomers, type NewAlias, type NewCustomer } from './insert-customers.ts'
import { type Conflict, resolveConflicts } from './resolve-conflicts.ts'

/**
 * The customer id of every person, in their order; undefined for a passive person whom no name leads to. Any other
 * unknown person becomes a customer, new names are remembered, and names that lead to two customers are resolved.
 * Without news it takes one query however many people there are, and none when `aliases` are given. Call it inside a
 * transaction and before any customer is locked (lock order: identities of the org, then customers by id).
 * @param aliases what `readAliases` gave for these people, where it was read already
 */
export async function resolveCustomers(
  tx: Db,
  people: Person[],
  aliases?: KnownAliases,
): Promise<(string | undefined)[]> {
  const known = aliases ?? (await run(tx, readAliases(people)))
  const news = people.filter((person) => hasNews(known, person))
  if (news.length > 0) {
    const [, current] = await send(tx, [lockIdentities(news), readAliases(news)])
    for (const [key, id] of current) known.set(key, id)
    await remember(tx, news, known)
  }
  return people.map((person) => {
    const { customerId } = find(known, person)
    if (!customerId && !person.passive) throw new Error('a person without any name reached identity')
    return customerId
  })
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

/** True for an unknown person, a name not seen before, and a name that leads to another customer. */
export function hasNews(known: KnownAliases, person: Person): boolean {
  const { customerId } = find(known, person)
  if (!customerId) return !person.passive
  return person.names.some((name) => {
    const owner = known.get(aliasKey(person.orgId, name))
    return person.passive ? owner === undefined : owner !== customerId
  })
}

const ORGS = columns<Person>({ org_id: text((p) => p.orgId) })

/** The aliases of an org are written by one transaction at a time, or two batches could give one name to two customers. */
function lockIdentities(people: Person[]): Statement<void> {
  return over(ORGS, people, {
    name: 'lock-identities',
    text: `select pg_advisory_xact_lock(key) from (
      select distinct hashtextextended('identities of ' || org_id, 0) as key from ${ORGS.as('o')} order by key) keys`,
    read: nothing,
  })
}

type News = { customers: NewCustomer[]; aliases: NewAlias[]; conflicts: Conflict[] }

/** Gives unknown people a customer id, and everybody their new names; `known` is completed. */
async function remember(tx: Db, people: Person[], known: KnownAliases): Promise<void> {
  const news: News = { customers: [], aliases: [], conflicts: [] }
  for (const person of people) learn(person, known, news)
  await send(tx, [...insertCustomers(news.customers), insertAliases(news.aliases)])
  if (news.conflicts.length > 0) await resolveConflicts(tx, news.conflicts, known)
}

function learn(person: Person, known: KnownAliases, news: News): void {
  const { orgId, names, profileName, passive } = person
  const found = find(known, person)
  if (!found.customerId && passive) return
  const customerId = found.customerId ?? uuidv7()
  if (!found.customerId) news.customers.push({ orgId, id: customerId, profileName, fits: found.fits })
  for (const alias of names) adopt(alias, { orgId, customerId, passive }, known, news)
}

/** Makes a name the customer's, or a conflict when another customer has it; a passive person takes no name away. */
function adopt(
  alias: Alias,
  { orgId, customerId, passive }: { orgId: string; customerId: string; passive: boolean },
  known: KnownAliases,
  news: News,
): void {
  const key = aliasKey(orgId, alias)
  const otherId = ownerOf(known, orgId, alias) ?? customerId
  if (otherId === customerId) {
    if (!known.has(key)) news.aliases.push({ orgId, alias, customerId })
    known.set(key, customerId)
  } else if (!passive) {
    news.conflicts.push({ orgId, alias, customerId, otherId })
    // A later message of the batch must find the id where this message moves it.
    if (isId(alias)) known.set(key, customerId)
  }
}
