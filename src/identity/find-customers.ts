import type { Db } from '../db/client.ts'
import { type Columns, columns, text } from '../db/columns.ts'
import { over, run, type Statement } from '../db/statement.ts'
import { type Alias, aliasKey, COMMON_NAME, commonName } from './aliases.ts'
import { find } from './find.ts'
import type { Holding, Holdings } from './holdings.ts'
import { type Identity, namesToLookUp, type Person } from './person.ts'

/** A common name to look up (`commonName`); `owner` is the org, or the number (`phone_number_id`) that tells the org. */
type Key = { owner: string; name: string }

const KEYS = keyColumns('org_id')
const KEYS_AT_NUMBERS = keyColumns('phone_id')
const HOLDING = `a.org_id as "orgId", a.kind, a.value, a.customer_id as "customerId", a.since,
  array_to_string(a.waba_ids, chr(10)) as "wabaIds"`

/** The present holders of every name of these people. */
export function readAliases(people: Person[]): Statement<Holdings> {
  const keys = keysOf(people.map((person) => ({ owner: person.orgId, identity: person })))
  return over(KEYS, keys, {
    name: 'read-aliases',
    text: `select ${HOLDING}
      from ${KEYS.as('k')}
      join customer_aliases a on a.org_id = k.org_id and ${COMMON_NAME} = k.name`,
    read: toHoldings,
  })
}

/** As `readAliases`, of people who wrote to these numbers (`phone_number_id`), whichever orgs own the numbers. */
export function readAliasesAtNumbers(people: { phoneId: string; identity: Identity }[]): Statement<Holdings> {
  const keys = keysOf(people.map(({ phoneId, identity }) => ({ owner: phoneId, identity })))
  return over(KEYS_AT_NUMBERS, keys, {
    name: 'read-aliases-at-numbers',
    text: `select ${HOLDING}
      from ${KEYS_AT_NUMBERS.as('k')}
      join meta_objects m on m.kind = 'phone' and m.id = k.phone_id
      join customer_aliases a on a.org_id = m.org_id and ${COMMON_NAME} = k.name`,
    read: toHoldings,
  })
}

type OwnedName = { orgId: string; alias: Alias }

const NAMES = columns<OwnedName>({
  org_id: text((n) => n.orgId),
  kind: text((n) => n.alias.kind),
  value: text((n) => n.alias.value),
})

type Former = Alias & { orgId: string; customerId: string; until: Date }

/** The former holders of every name of these people, the earliest first. */
export function readFormerAliases(people: Person[]): Statement<Former[]> {
  const names = new Map<string, OwnedName>()
  for (const { orgId, ...identity } of people)
    for (const alias of namesToLookUp(identity)) names.set(aliasKey(orgId, alias), { orgId, alias })
  return over(NAMES, [...names.values()], {
    name: 'read-former-aliases',
    text: `select f.org_id as "orgId", f.kind, f.value, f.customer_id as "customerId", f.until
      from ${NAMES.as('k')}
      join former_aliases f on f.org_id = k.org_id and f.kind = k.kind and f.value = k.value
      order by f.until`,
    read: (rows: Former[]) => rows,
  })
}

/** Adds former holders to the present ones. */
export function addFormer(known: Holdings, former: Former[]): void {
  for (const { orgId, customerId, until, ...alias } of former) {
    const key = aliasKey(orgId, alias)
    const holding = known.get(key) ?? { customerId: undefined, since: null, wabaIds: [], former: [] }
    known.set(key, { ...holding, former: [...holding.former, { customerId, until }] })
  }
}

/** The customer that routing would take a person for. Asking makes nobody a customer. */
export async function findCustomer(db: Db, person: Person): Promise<string | undefined> {
  return find(await run(db, readAliases([person])), person).customerId
}

/** As `findCustomer`; if nobody has the names now, the customer who gave them up last. */
export async function findCustomerEver(db: Db, person: Person): Promise<string | undefined> {
  const customerId = await findCustomer(db, person)
  if (customerId) return customerId
  const former = await run(db, readFormerAliases([person]))
  return former.at(-1)?.customerId
}

function keyColumns(owner: string): Columns<Key> {
  return columns<Key>({
    [owner]: text((k) => k.owner),
    name: text((k) => k.name),
  })
}

/** The common name of every name that may lead to these people; the two spellings of a phone give one. */
function keysOf(people: { owner: string; identity: Identity }[]): Key[] {
  const keys = new Map<string, Key>()
  for (const { owner, identity } of people) {
    for (const alias of namesToLookUp(identity)) {
      const name = commonName(alias)
      keys.set(`${owner}\n${name}`, { owner, name })
    }
  }
  return [...keys.values()]
}

type Row = Alias & { orgId: string; customerId: string; since: Date | null; wabaIds: string | null }

function toHoldings(rows: Row[]): Holdings {
  const holdings = rows.map((row): [string, Holding] => {
    const { customerId, since, wabaIds } = row
    return [
      aliasKey(row.orgId, row),
      { customerId, since, wabaIds: wabaIds?.split('\n') ?? NONE, former: NONE },
    ]
  })
  return new Map(holdings)
}

const NONE: never[] = []
