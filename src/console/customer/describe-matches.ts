import type { Db } from '../../db/client.ts'
import { columns, text, uuid } from '../../db/columns.ts'
import { allRows, over, run } from '../../db/statement.ts'
import type { Match } from './search.ts'

/** What people tell customers apart by. */
export type DescribedMatch = Match & {
  /** The profile name, else the name or `crm_id` of the latest contact; null if the customer has neither. */
  name: string | null
  /** Phones and ids by which the customer is found now, phones first. */
  aliases: string[]
  /** The latest message in a chatroom of the customer; null if there is none. */
  last: { at: Date; direction: 'in' | 'out' | 'echo'; type: string } | null
}

type Row = Omit<DescribedMatch, 'last' | 'matchedBy'> & {
  at: Date | null
  direction: 'in' | 'out' | 'echo'
  type: string
}

const MATCHES = columns<Match>({ org_id: text((m) => m.orgId), customer_id: uuid((m) => m.customerId) })

/** Adds name, phones and last message to each match; those with the latest messages come first. */
export async function describeMatches(db: Db, matches: Match[]): Promise<DescribedMatch[]> {
  const rows = await run(db, over(MATCHES, matches, { ...DESCRIBE, read: allRows<Row> }))
  const matchedBy = new Map(matches.map((match) => [match.customerId, match.matchedBy]))
  return rows.map(({ at, direction, type, ...row }) => ({
    ...row,
    matchedBy: matchedBy.get(row.customerId) ?? 'alias',
    last: at && { at, direction, type },
  }))
}

const DESCRIBE = {
  name: 'console-describe-matches',
  text: `select m.org_id as "orgId", m.customer_id as "customerId", l.at, l.direction, l.type,
      coalesce(u.profile_name, nullif(concat_ws(' ', c.first_name, c.last_name), ''), c.crm_id) as name,
      array(select distinct on (ltrim(a.value, '+')) a.value from customer_aliases a
        where a.org_id = m.org_id and a.customer_id = m.customer_id
        order by ltrim(a.value, '+'), a.kind = 'phone' desc) as aliases
    from ${MATCHES.as('m')}
    join customers u on u.org_id = m.org_id and u.id = m.customer_id
    left join lateral (
      select * from contacts c where c.org_id = m.org_id and c.customer_id = m.customer_id
      order by c.created_at desc limit 1) c on true
    left join lateral (
      select t.sent_at as at, t.direction, t.type from chatrooms r
      cross join lateral (
        select * from messages t where t.org_id = r.org_id and t.chatroom_id = r.id
        order by t.sent_at desc, t.seq desc limit 1) t
      where r.org_id = m.org_id and r.customer_id = m.customer_id
      order by t.sent_at desc limit 1) l on true
    order by l.at desc nulls last, m.customer_id`,
}
