import { textArray } from '../db/arrays.ts'
import type { Db } from '../db/client.ts'
import { type Alias, aliasKey, type Person, type Someone, synonymsOf } from './aliases.ts'

/** Customer ids by `aliasKey`. */
export type KnownAliases = Map<string, string>

/** Whom a person was taken for; `fits`: several customers have one of the phone's spellings, so none was. */
export type Found = { customerId: string | undefined; fits: string[] }

/** The customers behind every name of these people, in one query. */
export function readAliases(db: Db, people: Person[]): Promise<KnownAliases> {
  return lookUp(
    db,
    people.map((person) => [person.orgId, person]),
    {
      name: 'read-aliases',
      text: `select a.org_id, a.kind, a.value, a.customer_id
        from unnest($1::text[], $2::text[], $3::text[]) as k(org_id, kind, value)
        join customer_aliases a on a.org_id = k.org_id and a.kind = k.kind and a.value = k.value`,
    },
  )
}

/** As `readAliases`, of people who wrote to these numbers (`phone_number_id`), whichever orgs own them. */
export function readAliasesAtNumbers(db: Db, people: [string, Someone][]): Promise<KnownAliases> {
  return lookUp(db, people, {
    name: 'read-aliases-at-numbers',
    text: `select a.org_id, a.kind, a.value, a.customer_id
      from unnest($1::text[], $2::text[], $3::text[]) as k(phone_id, kind, value)
      join meta_objects m on m.kind = 'phone' and m.id = k.phone_id
      join customer_aliases a on a.org_id = m.org_id and a.kind = k.kind and a.value = k.value`,
  })
}

/** People by the id of their org, or of what tells the org. */
async function lookUp(
  db: Db,
  people: [string, Someone][],
  statement: { name: string; text: string },
): Promise<KnownAliases> {
  const wanted = new Map<string, [string, string, string]>()
  for (const [id, { phones, variants, ids, names }] of people) {
    for (const alias of [...phones, ...variants, ...ids, ...names.flatMap(synonymsOf)]) {
      wanted.set(aliasKey(id, alias), [id, alias.kind, alias.value])
    }
  }
  const keys = [...wanted.values()]
  const { rows } = await db.$client.query<AliasRow>({
    ...statement,
    values: [
      textArray(keys.map((k) => k[0])),
      textArray(keys.map((k) => k[1])),
      textArray(keys.map((k) => k[2])),
    ],
  })
  return new Map(rows.map((r) => [aliasKey(r.org_id, r), r.customer_id]))
}

type AliasRow = { org_id: string; kind: Alias['kind']; value: string; customer_id: string }

/** Whom the names lead to: exact phone, then the phone's other spellings if just one customer has any, then ids. */
export function find(known: KnownAliases, { orgId, phones, variants, ids }: Person): Found {
  const first = (aliases: Alias[]) => firstOwner(known, orgId, aliases)
  const exact = first(phones)
  if (exact) return { customerId: exact, fits: [] }
  const owners = variants.map((a) => known.get(aliasKey(orgId, a)))
  const fits = [...new Set(owners.filter((id) => id !== undefined))]
  if (fits.length === 1) return { customerId: fits[0], fits: [] }
  return { customerId: first(ids), fits }
}

function firstOwner(known: KnownAliases, orgId: string, aliases: Alias[]): string | undefined {
  for (const alias of aliases) {
    const owner = known.get(aliasKey(orgId, alias))
    if (owner) return owner
  }
  return undefined
}

/** The customer whom a name, or one that means the same, leads to. */
export function ownerOf(known: KnownAliases, orgId: string, alias: Alias): string | undefined {
  return firstOwner(known, orgId, [alias, ...synonymsOf(alias)])
}

/** Whom routing would take a person for; nobody is made a customer by being asked about. */
export async function findCustomer(db: Db, person: Person): Promise<string | undefined> {
  return find(await readAliases(db, [person]), person).customerId
}
