import type { Statement } from '../db/statement.ts'
import { EVENT_FIELDS, type EventRow, eventJoins, messagesSince } from '../event-feed/event-sql.ts'
import { MARGIN_MS } from '../event-feed/read-page.ts'
import { HORIZON } from '../event-log/position.ts'
import type { EventType } from '../event-log/types.ts'
import { firstOf, type Place } from './place.ts'
import { type Candidate, EVENTS_OF_LANE, LANES, type Page, type Share } from './plan-lanes.ts'

/** An event of a lane, with its place in the log. */
export type LaneEvent = Place & { row: EventRow }

export type LanePage = Page<LaneEvent> & {
  /** The candidates lie beyond all that this server has written, since a dump was restored or a standby took over. */
  isAhead: boolean
  /** The log has no event of any type between the candidates and their bound. */
  isEmpty: boolean
  /** There are events that cannot be read yet, because an older transaction is running. */
  isPending: boolean
}

/** So many rows of the log are looked at for the pages that are read together: as many as all lanes of two endpoints take. */
const SCANNED = 2 * LANES * EVENTS_OF_LANE

/** How many rows of the log are looked at for a page, when so many pages are read together. */
export function rowsOfPage(pages: number): number {
  return Math.ceil(SCANNED / Math.max(2, pages))
}

/**
 * SQL: the lane of a row of the log. All events of a customer are in one lane. Those of no customer are in that of their
 * number or message, and the others together in one. PostgreSQL's own hash functions may change between its versions.
 */
export const LANE = `get_byte(sha256(convert_to(coalesce(l.customer_id::text, l.data ->> 'remote_phone_id', l.wamid, ''),
  'UTF8')), 0) % ${LANES}`

/** No bound. It is a value, so that the bound is always a condition of the index, where the scan ends. */
const END = '9223372036854775807'

/** Arrays $2 and $3 have a place for each lane, and null for those that are no candidates. */
const TEXT = `with horizon as materialized (select ${HORIZON} as position),
  scanned as materialized (
    select l.position, l.seq, l.at, l.type, l.customer_id, l.wamid, l.audit_id, l.data, ${LANE} as lane
    from event_log l
    where l.org_id = $1 and (l.position, l.seq) > ($4::bigint, $5::bigint) and l.at >= $6::timestamptz
      and l.position < (select position from horizon)
      and (l.position, l.seq) <= (coalesce($7::bigint, ${END}), coalesce($8::bigint, ${END}))
    order by l.position, l.seq limit $11),
  wanted as (
    select s.*, row_number() over (partition by s.lane order by s.position, s.seq) as nth from scanned s
    where (s.position, s.seq) > (($2::bigint[])[s.lane + 1], ($3::bigint[])[s.lane + 1])
      and ($9::text[] is null or s.type = any($9::text[]))),
  page as materialized (select * from wanted where nth <= ${EVENTS_OF_LANE})
  select h.position::float8 as horizon, clock_timestamp() as now, s.count as scanned, s.last, w.lane,
    exists (select from event_log f where f.org_id = $1 and f.position >= (select position from horizon)
      and f.at > now() - interval '1 hour') as pending, ${EVENT_FIELDS}
  from horizon h
  cross join (select count(*)::int as count, (array_agg(json_build_array(position, seq, at)
    order by position desc, seq desc))[1] as last from scanned) s
  left join page w on true
  ${eventJoins('$10')}
  order by w.position, w.seq`

type Row = Omit<EventRow, 'position'> & {
  position: string | null
  lane: number
  horizon: number
  now: Date
  scanned: number
  pending: boolean
  last: [number, number, string] | null
}

type Wanted = {
  orgId: string
  candidates: Candidate[]
  types: EventType[] | null
  bound: Place | undefined
  limit: number
}

/**
 * Reads the next events of all candidates, from the first of them on and up to a bound, in the order of the log. Older
 * messages are still to be added.
 */
export function readLanePage({ orgId, candidates, types, bound, limit }: Wanted): Statement<LanePage> {
  const from = firstOf(candidates) ?? { position: 0, seq: 0, at: new Date(0) }
  const since = new Date(Math.max(0, from.at.getTime() - MARGIN_MS))
  const byLane = new Map(candidates.map((candidate) => [candidate.lane, candidate]))
  const listOf = (name: 'position' | 'seq') =>
    Array.from({ length: LANES }, (_, lane) => byLane.get(lane)?.[name] ?? null)
  const until = [bound?.position ?? null, bound?.seq ?? null]
  return {
    name: 'read-lane-events',
    text: TEXT,
    values: [
      orgId,
      listOf('position'),
      listOf('seq'),
      from.position,
      from.seq,
      since,
      ...until,
      types,
      messagesSince(since),
      limit,
    ],
    read: (rows: Row[]) => toPage(rows, from, bound, limit),
  }
}

function toPage(rows: Row[], from: Place, bound: Place | undefined, limit: number): LanePage {
  const [first] = rows
  if (!first) throw new Error('the event log gave no horizon')
  const shares = new Map<number, Share<LaneEvent>>()
  for (const { lane, position, ...row } of rows) {
    if (position === null) continue
    const share = shares.get(lane) ?? { lane, events: [] }
    const place = { position: Number(position), seq: Number(row.seq), at: row.at }
    share.events.push({ ...place, row: { ...row, position } })
    shares.set(lane, share)
  }
  const isEnd = first.scanned < limit
  return {
    ...{ end: endOf(first, isEnd, bound), isEnd, shares: [...shares.values()] },
    isAhead: from.position > first.horizon,
    isEmpty: first.scanned === 0,
    isPending: first.pending,
  }
}

function endOf({ horizon, now, last }: Row, isEnd: boolean, bound: Place | undefined): Place {
  if (isEnd || !last) return bound ?? { position: horizon, seq: 0, at: now }
  const [position, seq, at] = last
  return { position, seq, at: new Date(at) }
}
