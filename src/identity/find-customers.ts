import type { Db } from '../db/client.ts'
import { type Columns, columns, text } from '../db/columns.ts'
import { over, run, type Statement } from '../db/statement.ts'
import { type Alias, aliasKey, type Identity, type Person, synonymsOf } from './aliases.ts'

/** Customer ids by `aliasKey`. */
export type KnownAliases = Map<string, string>

/** The customer behind a person; `fits`: the customers who have one of the phone's other spellings, when several do. */
export type Found = { customerId: string | undefined; fits: string[] }

/** A name to look up; `owner` is the org, or the number (`phone_number_id`) that tells the org. */
type Key = { owner: string; alias: Alias }

const KEYS = keyColumns('org_id')
const KEYS_AT_NUMBERS = keyColumns('phone_id')

/** The customers behind every name of these people. */
export function readAliases(people: Person[]): Statement<KnownAliases> {
  const keys = keysOf(people.map((person) => ({ owner: person.orgId, identity: person })))
  return over(KEYS, keys, {
    name: 'read-aliases',
    text: `select a.org_id as "orgId", a.kind, a.value, a.customer_id as "customerId"
      from ${KEYS.as('k')}
      join customer_aliases a on a.org_id = k.org_id and a.kind = k.kind and a.value = k.value`,
    read: toKnown,
  })
}

/** As `readAliases`, of people who wrote to these numbers (`phone_number_id`), whichever orgs own the numbers. */
export function readAliasesAtNumbers(
  people: { phoneId: string; identity: Identity }[],
): Statement<KnownAliases> {
  const keys = keysOf(people.map(({ phoneId, identity }) => ({ owner: phoneId, identity })))
  return over(KEYS_AT_NUMBERS, keys, {
    name: 'read-aliases-at-numbers',
    text: `select a.org_id as "orgId", a.kind, a.value, a.customer_id as "customerId"
      from ${KEYS_AT_NUMBERS.as('k')}
      join meta_objects m on m.kind = 'phone' and m.id = k.phone_id
      join customer_aliases a on a.org_id = m.org_id and a.kind = k.kind and a.value = k.value`,
    read: toKnown,
  })
}

function keyColumns(owner: string): Columns<Key> {
  return columns<Key>({
    [owner]: text((k) => k.owner),
    kind: text((k) => k.alias.kind),
    value: text((k) => k.alias.value),
  })
}

/** Every name that may lead to these people, each once. */
function keysOf(people: { owner: string; identity: Identity }[]): Key[] {
  const keys = new Map<string, Key>()
  for (const { owner, identity } of people) {
    const { phones, variants, ids, names } = identity
    for (const alias of [...phones, ...variants, ...ids, ...names.flatMap(synonymsOf)]) {
      keys.set(aliasKey(owner, alias), { owner, alias })
    }
  }
  return [...keys.values()]
}

function toKnown(rows: (Alias & { orgId: string; customerId: string })[]): KnownAliases {
  return new Map(rows.map((row) => [aliasKey(row.orgId, row), row.customerId]))
}

/**
 * The customer to whom the names lead: by the exact phone, else by another spelling of the phone if just one customer
 * has any, else by Meta's ids.
 */
export function find(known: KnownAliases, { orgId, phones, variants, ids }: Person): Found {
  const exact = firstOwner(known, orgId, phones)
  if (exact) return { customerId: exact, fits: [] }
  const owners = variants.map((alias) => known.get(aliasKey(orgId, alias)))
  const fits = [...new Set(owners.filter((id) => id !== undefined))]
  if (fits.length === 1) return { customerId: fits[0], fits: [] }
  return { customerId: firstOwner(known, orgId, ids), fits }
}

function firstOwner(known: KnownAliases, orgId: string, aliases: Alias[]): string | undefined {
  for (const alias of aliases) {
    const owner = known.get(aliasKey(orgId, alias))
    if (owner) return owner
  }
  return undefined
}

/** The customer to whom a name, or a name that means the same, leads. */
export function ownerOf(known: KnownAliases, orgId: string, alias: Alias): string | undefined {
  return firstOwner(known, orgId, [alias, ...synonymsOf(alias)])
}

/** The customer that routing would take a person for. Asking makes nobody a customer. */
export async function findCustomer(db: Db, person: Person): Promise<string | undefined> {
  return find(await run(db, readAliases([person])), person).customerId
}
