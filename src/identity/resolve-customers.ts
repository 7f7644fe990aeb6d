import { v7 as uuidv7 } from 'uuid'
import { recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { type Alias, aliasKey, isId, type Person } from './aliases.ts'
import { find, type KnownAliases, ownerOf, readAliases } from './find-customers.ts'
import { type Conflict, settleConflicts } from './settle-conflicts.ts'

/**
 * The customer id of every person, in their order ('' for a passive one whom nobody knows); people nobody knows
 * become customers, new names are remembered, and names that point to two customers are settled. Set-based: one
 * query when there is no news, however many people. Call inside a transaction and before any customer is locked
 * (lock order: identities of the org, customers by id).
 * @param aliases what `readAliases` says of these people, where it was asked already
 */
export async function resolveCustomers(tx: Db, people: Person[], aliases?: KnownAliases): Promise<string[]> {
  const known = aliases ?? (await readAliases(tx, people))
  const news = people.filter((p) => hasNews(known, p))
  if (news.length > 0) {
    await lockIdentities(tx, news)
    for (const [key, id] of await readAliases(tx, news)) known.set(key, id)
    await remember(tx, news, known)
  }
  return people.map((p) => {
    const { customerId } = find(known, p)
    if (!customerId && !p.passive) throw new Error('a person without any name reached identity')
    return customerId ?? ''
  })
}

/** Nobody we know, somebody under a name not seen before, or a name that leads to somebody else. */
export function hasNews(known: KnownAliases, person: Person): boolean {
  const { customerId } = find(known, person)
  if (person.passive && !customerId) return false
  return (
    person.names.some((name) => {
      const owner = known.get(aliasKey(person.orgId, name))
      return person.passive ? owner === undefined : owner !== customerId
    }) || !customerId
  )
}

/** Two batches must not both give a name away: aliases of an org are written by one at a time, until commit. */
async function lockIdentities(tx: Db, people: Person[]): Promise<void> {
  await tx.$client.query({
    name: 'lock-identities',
    text: `select pg_advisory_xact_lock(key) from (
      select distinct hashtextextended('identities of ' || org_id, 0) as key from unnest($1::text[]) as org_id
      order by key) keys`,
    values: [people.map((p) => p.orgId)],
  })
}

type News = {
  customers: { orgId: string; id: string; profileName: string | null; fits: string[] }[]
  aliases: { orgId: string; alias: Alias; customerId: string }[]
  conflicts: Conflict[]
}

/** Gives people nobody knows a customer id, and everybody their new names; `known` is completed. */
async function remember(tx: Db, people: Person[], known: KnownAliases): Promise<void> {
  const news: News = { customers: [], aliases: [], conflicts: [] }
  for (const person of people) learn(person, known, news)
  if (news.customers.length > 0) await insertCustomers(tx, news.customers)
  if (news.aliases.length > 0) await insertAliases(tx, news.aliases)
  if (news.conflicts.length > 0) await settleConflicts(tx, news.conflicts, known)
}

function learn(person: Person, known: KnownAliases, news: News): void {
  const { orgId, names, profileName = null, passive } = person
  const found = find(known, person)
  if (!found.customerId && passive) return
  const customerId = found.customerId ?? uuidv7()
  if (!found.customerId) news.customers.push({ orgId, id: customerId, profileName, fits: found.fits })
  for (const alias of names) adopt(alias, { orgId, customerId, passive }, known, news)
}

/** Makes a name the customer's, or a conflict when it is somebody else's; a passive person takes nothing away. */
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
    // The later message of a batch finds the id where the earlier one moves it.
    if (isId(alias)) known.set(key, customerId)
  }
}

async function insertCustomers(tx: Db, customers: News['customers']): Promise<void> {
  await tx.$client.query({
    name: 'insert-customers',
    text: `insert into customers (org_id, id, profile_name)
      select * from unnest($1::text[], $2::uuid[], $3::text[])`,
    values: [customers.map((c) => c.orgId), customers.map((c) => c.id), customers.map((c) => c.profileName)],
  })
  const ambiguous = customers.filter((c) => c.fits.length > 1)
  await recordEvents(
    tx,
    ambiguous.map(({ orgId, id, fits }) => ({
      orgId,
      kind: 'customer.ambiguous',
      actor: 'identity',
      reason: 'several customers have another spelling of this phone; none was guessed',
      customerId: id,
      after: { fits },
    })),
  )
}

async function insertAliases(tx: Db, aliases: News['aliases']): Promise<void> {
  await tx.$client.query({
    name: 'insert-aliases',
    text: `insert into customer_aliases (org_id, kind, value, customer_id)
      select * from unnest($1::text[], $2::text[], $3::text[], $4::uuid[])`,
    values: [
      aliases.map((a) => a.orgId),
      aliases.map((a) => a.alias.kind),
      aliases.map((a) => a.alias.value),
      aliases.map((a) => a.customerId),
    ],
  })
}
