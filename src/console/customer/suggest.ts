import type { Db } from '../../db/client.ts'
import { columns, text } from '../../db/columns.ts'
import { allRows, over, run } from '../../db/statement.ts'

/** What may be meant by the beginning of a phone or of a `crm_id`: the search text, and whose it is. */
export type Suggestion = { value: string; name: string; orgId: string }

/** A shorter text begins too many phones to be of help. */
const MIN_LENGTH = 3
const MAX_SUGGESTIONS = 8

const ORGS = columns<string>({ id: text((id) => id) })

/**
 * Up to 8 phones and `crm_id`s of these orgs that begin with the text. Both indexes are read from the text on, a few entries
 * of each org, so the answer costs the same on any number of customers. Where the database sorts a few other values
 * between those that begin with the text, some are missing.
 */
export async function suggest(db: Db, orgIds: string[], words: string): Promise<Suggestion[]> {
  const start = words.trim()
  if (start.length < MIN_LENGTH || start.includes('\0')) return []
  const digits = /^[+\d\s()./-]+$/.test(start) ? start.replace(/\D/g, '').replace(/^00/, '') : ''
  const statement = over(ORGS, orgIds, {
    name: 'console-suggest',
    text: SUGGEST,
    values: [start, digits === '' ? null : `+${digits}`],
    read: allRows<Suggestion>,
  })
  return run(db, statement)
}

const SUGGEST = `select s.value, s.org_id as "orgId",
      coalesce(u.profile_name, nullif(concat_ws(' ', c.first_name, c.last_name), ''), c.crm_id, '') as name
    from ${ORGS.as('o')}
    cross join lateral (
      (select a.org_id, a.value, a.customer_id from customer_aliases a
        where a.org_id = o.id and a.kind = 'phone' and a.value >= $3 order by a.value limit ${MAX_SUGGESTIONS})
      union all
      (select k.org_id, k.crm_id, k.customer_id from contacts k
        where k.org_id = o.id and k.crm_id >= $2 order by k.crm_id limit ${MAX_SUGGESTIONS})) s
    join customers u on u.org_id = s.org_id and u.id = s.customer_id
    left join lateral (
      select * from contacts c where c.org_id = s.org_id and c.customer_id = s.customer_id
      order by c.created_at desc limit 1) c on true
    where starts_with(s.value, $2) or starts_with(s.value, $3)
    order by s.value limit ${MAX_SUGGESTIONS}`
