import type { Db } from '../db/client.ts'
import { type Alias, aliasKey, type Person, synonymsOf } from './aliases.ts'

/** Customer ids by `aliasKey`. */
export type KnownAliases = Map<string, string>

/** Whom a person was taken for; `fits`: several customers have one of the phone's spellings, so none was. */
export type Found = { customerId: string | undefined; fits: string[] }

/** The customers behind every name of these people, in one query. */
export async function readAliases(db: Db, people: Person[]): Promise<KnownAliases> {
  const wanted = new Map<string, [string, string, string]>()
  for (const { orgId, phones, variants, ids, names } of people) {
    for (const alias of [...phones, ...variants, ...ids, ...names.flatMap(synonymsOf)]) {
      wanted.set(aliasKey(orgId, alias), [orgId, alias.kind, alias.value])
    }
  }
  const keys = [...wanted.values()]
  const { rows } = await db.$client.query<{
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

/** Whom the names lead to: exact phone, then the phone's other spellings if just one customer has any, then ids. */
export function find(known: KnownAliases, { orgId, phones, variants, ids }: Person): Found {
  const owners = (aliases: Alias[]) => [
    ...new Set(aliases.map((a) => known.get(aliasKey(orgId, a))).filter((id) => id !== undefined)),
  ]
  const [exact] = owners(phones)
  if (exact) return { customerId: exact, fits: [] }
  const fits = owners(variants)
  const [only, ...others] = fits
  if (only && others.length === 0) return { customerId: only, fits: [] }
  return { customerId: owners(ids)[0], fits }
}

/** The customer whom a name, or one that means the same, leads to. */
export function ownerOf(known: KnownAliases, orgId: string, alias: Alias): string | undefined {
  const owners = [alias, ...synonymsOf(alias)].map((a) => known.get(aliasKey(orgId, a)))
  return owners.find((id) => id !== undefined)
}

/** Whom routing would take a person for; nobody is made a customer by being asked about. */
export async function findCustomer(db: Db, person: Person): Promise<string | undefined> {
  return find(await readAliases(db, [person]), person).customerId
}
