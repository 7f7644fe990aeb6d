import type { Db } from '../../db/client.ts'
import { personOf, personOfPhone } from '../../identity/aliases.ts'
import { find, readAliases } from '../../identity/find-customers.ts'
import { phonesMeant } from '../../identity/spoken-phone.ts'

/** A customer, and as what the words named them. */
export type Match = { orgId: string; customerId: string; as: 'name' | 'crm_id' | 'wamid' }

const MOST = 50

/**
 * The customers of these orgs whom the words name: a phone in any spelling, a `wa_id`, a business-scoped id, a
 * contact's `crm_id`, or the id of a message of theirs. Each once, at most 50.
 */
export async function searchCustomers(db: Db, orgIds: string[], words: string): Promise<Match[]> {
  const text = words.trim()
  if (text === '' || text.includes('\0')) return []
  const [named, byCrmId, byWamid] = await Promise.all([
    byNames(db, orgIds, text),
    byColumn(db, 'crm_id', orgIds, text),
    byColumn(db, 'wamid', orgIds, text),
  ])
  const found = new Map([...named, ...byCrmId, ...byWamid].map((m) => [`${m.orgId}\n${m.customerId}`, m]))
  return [...found.values()].slice(0, MOST)
}

async function byNames(db: Db, orgIds: string[], text: string): Promise<Match[]> {
  const numbers = await readNumbers(db, orgIds)
  const people = orgIds.flatMap((orgId) => {
    const id = { waId: undefined, userId: text, parentUserId: text, profileName: undefined }
    const phones = phonesMeant(text, numbers.get(orgId) ?? [])
    return [personOf(orgId, id), ...phones.map((phone) => personOfPhone(orgId, phone))]
  })
  const known = await readAliases(db, people)
  return people.flatMap((person) => {
    const { customerId, fits } = find(known, person)
    const ids = customerId ? [customerId] : fits
    return ids.map((id) => ({ orgId: person.orgId, customerId: id, as: 'name' as const }))
  })
}

/** The orgs' own numbers tell which countries' spellings their operators use. */
async function readNumbers(db: Db, orgIds: string[]): Promise<Map<string, string[]>> {
  const { rows } = await db.$client.query<{ org_id: string; numbers: string[] }>({
    name: 'console-own-numbers',
    text: `select org_id, array_agg(display_phone_number) as numbers from waba_phones
      where org_id = any($1::text[]) group by org_id`,
    values: [orgIds],
  })
  return new Map(rows.map((row) => [row.org_id, row.numbers]))
}

const LOOKUPS = { crm_id: 'contacts', wamid: 'messages' } as const

async function byColumn(db: Db, as: keyof typeof LOOKUPS, orgIds: string[], text: string): Promise<Match[]> {
  const { rows } = await db.$client.query<Omit<Match, 'as'>>({
    name: `console-search-${as}`,
    text: `select t.org_id as "orgId", t.customer_id as "customerId"
      from unnest($1::text[]) as o(id) join ${LOOKUPS[as]} t on t.org_id = o.id and t.${as} = $2
      where t.customer_id is not null limit ${MOST}`,
    values: [orgIds, text],
  })
  return rows.map((row) => ({ ...row, as }))
}
