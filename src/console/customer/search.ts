import type { Db } from '../../db/client.ts'
import { columns, text } from '../../db/columns.ts'
import { over, run } from '../../db/statement.ts'
import { find } from '../../identity/find.ts'
import { readAliases, readFormerAliases } from '../../identity/find-customers.ts'
import { personOf, personOfPhone } from '../../identity/person.ts'
import { phonesMeant } from '../../identity/spoken-phone.ts'

/** A customer, and what the search text matched: an alias, a contact's `crm_id`, or a message's `wamid`. */
export type Match = { orgId: string; customerId: string; matchedBy: 'alias' | 'crm_id' | 'wamid' }

const MAX_MATCHES = 50

/**
 * Finds the customers of these orgs by a phone in any spelling, a `wa_id`, a BSUID, a contact's `crm_id`, or the wamid of
 * one of their messages. Returns each customer once, at most 50.
 */
export async function searchCustomers(db: Db, orgIds: string[], words: string): Promise<Match[]> {
  const trimmed = words.trim()
  if (trimmed === '' || trimmed.includes('\0')) return []
  const [byAlias, byCrmId, byWamid] = await Promise.all([
    byAliases(db, orgIds, trimmed),
    byColumn(db, 'crm_id', orgIds, trimmed),
    byColumn(db, 'wamid', orgIds, trimmed),
  ])
  const found = new Map([...byAlias, ...byCrmId, ...byWamid].map((m) => [`${m.orgId}\n${m.customerId}`, m]))
  return [...found.values()].slice(0, MAX_MATCHES)
}

async function byAliases(db: Db, orgIds: string[], words: string): Promise<Match[]> {
  const numbers = await readOwnNumbers(db, orgIds)
  const people = orgIds.flatMap((orgId) => {
    const id = { waId: undefined, userId: words, parentUserId: words, profileName: undefined }
    const phones = phonesMeant(words, numbers.get(orgId) ?? [])
    return [personOf(orgId, id), ...phones.map((phone) => personOfPhone(orgId, phone))]
  })
  const known = await run(db, readAliases(people))
  const former = await run(db, readFormerAliases(people))
  const held = people.flatMap((person) => {
    const { customerId, fits } = find(known, person)
    const ids = customerId ? [customerId] : fits
    return ids.map((id) => ({ orgId: person.orgId, customerId: id, matchedBy: 'alias' as const }))
  })
  const gaveUp = former.map(({ orgId, customerId }) => ({ orgId, customerId, matchedBy: 'alias' as const }))
  return [...held, ...gaveUp]
}

/** The orgs' own numbers, whose countries determine how a phone without a country code is read. */
function readOwnNumbers(db: Db, orgIds: string[]): Promise<Map<string, string[]>> {
  return run(db, {
    name: 'console-own-numbers',
    text: `select org_id as "orgId", array_agg(display_phone_number) as numbers from waba_phones
      where org_id = any($1::text[]) group by org_id`,
    values: [orgIds],
    read: (rows: { orgId: string; numbers: string[] }[]) =>
      new Map(rows.map(({ orgId, numbers }) => [orgId, numbers])),
  })
}

const TABLES = { crm_id: 'contacts', wamid: 'messages' } as const
const ORGS = columns<string>({ id: text((id) => id) })

function byColumn(db: Db, column: keyof typeof TABLES, orgIds: string[], words: string): Promise<Match[]> {
  const statement = over(ORGS, orgIds, {
    name: `console-search-${column}`,
    text: `select t.org_id as "orgId", t.customer_id as "customerId"
      from ${ORGS.as('o')} join ${TABLES[column]} t on t.org_id = o.id and t.${column} = $2
      where t.customer_id is not null limit ${MAX_MATCHES}`,
    values: [words],
    read: (rows: Omit<Match, 'matchedBy'>[]) => rows.map((row) => ({ ...row, matchedBy: column })),
  })
  return run(db, statement)
}
