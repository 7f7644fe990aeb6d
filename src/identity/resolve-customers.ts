import { v7 as uuidv7 } from 'uuid'
import type { Db } from '../db/client.ts'
import { type Alias, aliasKey, type Person } from './aliases.ts'

/**
 * The customer id of every person, in their order; customers not known yet are created, names not known yet are
 * remembered. Set-based: one query when all are known, five when some are new, however many people.
 * Call inside a transaction and before any customer is locked (lock order: org, then customers by id).
 */
export async function resolveCustomers(tx: Db, people: Person[]): Promise<string[]> {
  let known = await readAliases(tx, people)
  const news = people.filter((p) => hasNews(known, p))
  if (news.length > 0) {
    await lockIdentities(tx, news)
    known = new Map([...known, ...(await readAliases(tx, news))])
    await remember(tx, news, known)
  }
  return people.map((p) => {
    const id = find(known, p)
    if (!id) throw new Error('a person without any name reached identity')
    return id
  })
}

/** Nobody we know, or somebody under a name not seen before. */
function hasNews(known: Map<string, string>, person: Person): boolean {
  return !find(known, person) || person.names.some((n) => !known.has(aliasKey(person.orgId, n)))
}

function find(known: Map<string, string>, { orgId, lookups }: Person): string | undefined {
  for (const alias of lookups) {
    const id = known.get(aliasKey(orgId, alias))
    if (id) return id
  }
  return undefined
}

async function readAliases(tx: Db, people: Person[]): Promise<Map<string, string>> {
  const wanted = new Map<string, [string, string, string]>()
  for (const { orgId, lookups, names } of people) {
    for (const alias of [...lookups, ...names]) {
      wanted.set(aliasKey(orgId, alias), [orgId, alias.kind, alias.value])
    }
  }
  const keys = [...wanted.values()]
  const { rows } = await tx.$client.query<{
    org_id: string
    kind: Alias['kind']
    value: string
    customer_id: string
  }>({
    name: 'read-aliases',
    text: `select a.org_id, a.kind, a.value, a.customer_id
      from unnest($1::text[], $2::text[], $3::text[]) as k(org_id, kind, value)
      join customer_aliases a on a.org_id = k.org_id and a.kind = k.kind and a.value = k.value`,
    values: [keys.map((k) => k[0]), keys.map((k) => k[1]), keys.map((k) => k[2])],
  })
  return new Map(rows.map((r) => [aliasKey(r.org_id, r), r.customer_id]))
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

/** Gives people nobody knows a customer id, and everybody their new names; `known` is completed. */
async function remember(tx: Db, people: Person[], known: Map<string, string>): Promise<void> {
  const customers: { orgId: string; id: string; profileName: string | null }[] = []
  const aliases: { orgId: string; alias: Alias; customerId: string }[] = []
  for (const person of people) {
    const { orgId, names, profileName } = person
    const customerId = find(known, person) ?? uuidv7()
    if (!find(known, person)) customers.push({ orgId, id: customerId, profileName: profileName ?? null })
    for (const alias of names.filter((n) => !known.has(aliasKey(orgId, n)))) {
      known.set(aliasKey(orgId, alias), customerId)
      aliases.push({ orgId, alias, customerId })
    }
  }
  if (customers.length > 0) await insertCustomers(tx, customers)
  if (aliases.length > 0) await insertAliases(tx, aliases)
}

async function insertCustomers(
  tx: Db,
  customers: { orgId: string; id: string; profileName: string | null }[],
): Promise<void> {
  await tx.$client.query({
    name: 'insert-customers',
    text: `insert into customers (org_id, id, profile_name)
      select * from unnest($1::text[], $2::uuid[], $3::text[])`,
    values: [customers.map((c) => c.orgId), customers.map((c) => c.id), customers.map((c) => c.profileName)],
  })
}

async function insertAliases(
  tx: Db,
  aliases: { orgId: string; alias: Alias; customerId: string }[],
): Promise<void> {
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
