import { ageSql } from '../rules/age.ts'
import { isLaterSql, isOfSendSql } from '../rules/ledger-months.ts'
import { sendIdSql } from '../rules/provisional-wamid.ts'

const COLUMNS = `m.org_id, m.wamid, m.chatroom_id, m.waba_phone_id, m.direction, m.type, m.status, m.errors, m.outbox_id,
  m.retry_of`

/**
 * SQL: the messages of the orgs `g` (id) that failed, or whose outcome is unknown, behind a place in the list. A failed
 * message is kept in the outbox for 30 days, and older ones cannot be sent again. The parameters: $4 the state, or null;
 * $5 and $6 the age; $7 and $8 the place (time, wamid). `asOf` is the time by which ages are judged.
 */
export function failedSendsSql({
  orgs,
  order,
  limit,
  asOf,
}: {
  orgs: string
  order: 'asc' | 'desc'
  limit: string
  asOf?: string
}): string {
  const isBehind = order === 'asc' ? '>' : '<'
  const wanted = (at: string, state: string) => `($4::text is null or $4 = '${state}')
    and ${ageSql(at, ['$5', '$6'], asOf)} and (${at}, m.wamid) ${isBehind} ($7::timestamptz, $8::text)
    order by ${at} ${order}, m.wamid ${order} limit ${limit}`
  return `select m.*, o.id as send_id, o.error from (
      select m.* from ${orgs} cross join lateral (
        (select ${COLUMNS}, m.sent_at from messages m
          where m.org_id = g.id and m.status = 'failed' and m.direction = 'out'
            and m.sent_at > now() - interval '31 days' and ${wanted('m.sent_at', 'failed')})
        union all
        (select ${COLUMNS}, u.created_at as sent_at from outbox u
          join messages m on m.org_id = u.org_id and m.outbox_id = u.id and ${isOfSendSql('m.sent_at', 'u.created_at')}
          where u.org_id = g.id and u.state = 'unknown' and m.status is null
            and ${wanted('u.created_at', 'unknown')})) m
      order by m.sent_at ${order}, m.wamid ${order} limit ${limit}) m
    left join outbox o on o.org_id = m.org_id and o.id = ${sendIdSql('m')}
    order by m.sent_at ${order}, m.wamid ${order}`
}

const REASON = `coalesce(s.error, concat_ws(' ', s.errors -> 0 ->> 'code',
  coalesce(s.errors -> 0 ->> 'title', s.errors -> 0 ->> 'message')), '')`

/**
 * SQL: of the rows `s` of `failedSendsSql`, those that nobody has sent again and that are of the number $2, or of any, with
 * the text $3 in their reason, if it is given. `limit 1` keeps PostgreSQL from reading all messages into a hash table.
 */
export const FAILED_SENDS_FIT = `s.send_id is not null and ($2::text is null or s.waba_phone_id = $2)
  and ($3::text is null or position(lower($3) in lower(${REASON})) > 0)
  and (select true from messages r where r.org_id = s.org_id and r.retry_of = s.send_id
    and ${isLaterSql('r', 's.sent_at')} limit 1) is null`
