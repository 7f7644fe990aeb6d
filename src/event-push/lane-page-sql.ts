import { bigint, columns, int, text, timestamptz } from '../db/columns.ts'
import { eventFields, eventJoins } from '../event-feed/event-sql.ts'
import { HORIZON } from '../event-log/position.ts'
import { EVENTS_OF_LANE, LANES } from './plan-lanes.ts'

/**
 * SQL: the lane of a row of the log. All events of a customer are in one lane. Those of no customer are in that of their
 * number or message, and the others together in one. PostgreSQL's own hash functions may change between its versions.
 */
export const LANE = `get_byte(sha256(convert_to(coalesce(l.customer_id::text, l.data ->> 'remote_phone_id', l.wamid, ''),
  'UTF8')), 0) % ${LANES}`

/**
 * A page that is asked for: of the log of an org, from a place on and up to another one, if there is one. `positions` and
 * `seqs`: the place of each lane, null for a lane that is no candidate; without them all lanes are where the page begins.
 * These two and `types` are texts of PostgreSQL's arrays. `lanes`: the page has the events of at most so many lanes, and the
 * lanes that are furthest behind come first.
 */
export type Asked = {
  orgId: string
  position: number
  seq: number
  since: Date
  untilPosition: number | null
  untilSeq: number | null
  types: string | null
  positions: string | null
  seqs: string | null
  lanes: number
}

export const ASKED = columns<Asked>({
  org_id: text((a) => a.orgId),
  position: bigint((a) => a.position),
  seq: bigint((a) => a.seq),
  since: timestamptz((a) => a.since),
  until_position: bigint((a) => a.untilPosition),
  until_seq: bigint((a) => a.untilSeq),
  types: text((a) => a.types),
  positions: text((a) => a.positions),
  seqs: text((a) => a.seqs),
  lanes: int((a) => a.lanes),
})

/** No bound. It is a value, so that the bound is always a condition of the index, where the scan ends. */
const END = '9223372036854775807'

/**
 * SQL: the rows of all pages, each with the standing of its page, and at least one row for each page. Of a lane whose events
 * are not read, there is one row without content: the taker must know that the lane has events, and what they name costs
 * most of the page. $11: the earliest `since`; $12: the time before all messages; $13: the rows of the log that are looked
 * at for a page.
 */
export const LANE_PAGES = `with horizon as materialized (select ${HORIZON} as position),
  asked as materialized (
    select nth, org_id, position, seq, since, coalesce(until_position, ${END}) as until_position,
      coalesce(until_seq, ${END}) as until_seq, types::text[] as types, positions::bigint[] as positions,
      seqs::bigint[] as seqs, lanes
    from ${ASKED.as('u', { ordinality: 'nth' })}),
  scanned as materialized (
    select a.nth, a.lanes, a.positions[s.lane + 1] as lane_position, a.seqs[s.lane + 1] as lane_seq, s.*,
      (a.positions is null or (s.position, s.seq) > (a.positions[s.lane + 1], a.seqs[s.lane + 1]))
      and (a.types is null or s.type = any(a.types)) as is_wanted
    from asked a cross join lateral (
      select l.org_id, l.position, l.seq, l.at, l.type, l.customer_id, l.wamid, l.audit_id, l.data, ${LANE} as lane
      from event_log l
      where l.org_id = a.org_id and (l.position, l.seq) > (a.position, a.seq) and l.at >= a.since
        and l.at >= $11::timestamptz and l.position < (select position from horizon)
        and (l.position, l.seq) <= (a.until_position, a.until_seq)
      order by l.position, l.seq limit $13) s),
  ends as materialized (
    select distinct on (nth) nth, position, seq, at, count(*) over (partition by nth) as count
    from scanned order by nth, position desc, seq desc),
  wanted as (
    select s.*, row_number() over (partition by s.nth, s.lane order by s.position, s.seq) as turn,
      dense_rank() over (partition by s.nth order by s.lane_position, s.lane_seq, s.lane) <= s.lanes as is_read
    from scanned s where s.is_wanted),
  page as materialized (
    select nth, lane, position, seq, at, type, is_read, case when is_read then customer_id end as customer_id,
      case when is_read then wamid end as wamid, case when is_read then audit_id end as audit_id,
      case when is_read then data end as data
    from wanted where turn <= case when is_read then ${EVENTS_OF_LANE} else 1 end)
  select b.nth::int, h.position::float8 as horizon, clock_timestamp() as now, coalesce(e.count, 0)::int as scanned,
    e.position::float8 as "lastPosition", e.seq::float8 as "lastSeq", e.at as "lastAt", w.lane, w.is_read as "isRead",
    exists (select from event_log f where f.org_id = b.org_id and f.position >= h.position
      and f.at > now() - interval '1 hour') as pending, ${eventFields('b.org_id')}
  from horizon h cross join asked b
  left join ends e on e.nth = b.nth
  left join page w on w.nth = b.nth
  ${eventJoins('$12', 'b.org_id')}
  order by b.nth, w.position, w.seq`
