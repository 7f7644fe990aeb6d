import type { Db } from '../db/client.ts'
import { readInOrder } from '../db/transaction.ts'
import { HORIZON } from '../event-log/position.ts'
import type { EventType } from '../event-log/types.ts'
import { addOlderMessages } from './add-older-messages.ts'
import type { Cursor } from './cursor.ts'
import { EVENT_FIELDS, type EventRow, eventJoins, messagesSince } from './event-sql.ts'

/**
 * `events`: at most `limit`, in order. `next`: the place behind them; `isEnd`: nothing was left to read there. `isAhead`: the
 * cursor lies beyond all that this server has written, because it was given before a dump was restored here, or by a primary
 * server that this one has replaced. The next events would come before the cursor.
 */
export type EventPage = { events: EventRow[]; next: Cursor; isEnd: boolean; isAhead: boolean }

/** With a filter, so many rows are looked at for a page, which may therefore be short or empty before the end. */
const MAX_SCANNED = 5_000

/** No transaction lasts so long, so every event behind a cursor is younger than the cursor by less than this. */
export const MARGIN_MS = 3_600_000

/** The log that a page is made of, then what its rows name. Only the partitions since the margin are read. */
const TEXT = `with horizon as materialized (select ${HORIZON} as position),
  scanned as materialized (
    select l.position, l.seq, l.at, l.type, l.customer_id, l.wamid, l.audit_id, l.data from event_log l
    where l.org_id = $1 and (l.position, l.seq) > ($2::bigint, $3::bigint) and l.at >= $4::timestamptz
      and l.position < (select position from horizon)
    order by l.position, l.seq limit $5),
  page as materialized (
    select * from scanned where $6::text[] is null or type = any($6::text[]) order by position, seq limit $7)
  select h.position::text as horizon, clock_timestamp() as now, s.count as scanned, s.last,
    ${EVENT_FIELDS}
  from horizon h
  cross join (select count(*)::int as count, (array_agg(json_build_array(position::text, seq::text, at)
    order by position desc, seq desc))[1] as last from scanned) s
  left join page w on true
  ${eventJoins('$8')}
  order by w.position, w.seq`

type Row = EventRow & { horizon: string; now: Date; scanned: number; last: [string, string, string] | null }

/**
 * Reads the events behind a cursor in the order of the log, up to the horizon (`src/event-log/position.ts`): none that
 * is committed later is skipped. A page that reached the horizon ends in a cursor of now, so that the cursor of a reader
 * does not grow old in an org in which nothing happens.
 */
export async function readEventPage(
  db: Db,
  after: Cursor,
  { types, limit }: { types: EventType[] | undefined; limit: number },
): Promise<EventPage> {
  const scans = types ? Math.max(MAX_SCANNED, limit) : limit
  const since = new Date(Math.max(0, after.at.getTime() - MARGIN_MS))
  const { orgId, position, seq } = after
  const rows = await readInOrder(db, {
    name: 'read-events',
    text: TEXT,
    values: [orgId, position, seq, since, scans, types ?? null, limit, messagesSince(since)],
    read: (found: Row[]) => found,
  })
  const [first] = rows
  if (!first) throw new Error('the event log gave no horizon')
  const events = rows.filter((row) => row.position !== null)
  await addOlderMessages(db, orgId, events)
  const isAhead = BigInt(position) > BigInt(first.horizon)
  return { events, isAhead, ...placeBehind(orgId, events, first, { limit, scans }) }
}

function placeBehind(
  orgId: string,
  events: EventRow[],
  { horizon, now, scanned, last }: Row,
  { limit, scans }: { limit: number; scans: number },
): Pick<EventPage, 'next' | 'isEnd'> {
  const shown = events.at(-1)
  if (shown && events.length === limit)
    return { next: { orgId, position: shown.position, seq: shown.seq, at: shown.at }, isEnd: false }
  if (last && scanned === scans) {
    const [position, seq, at] = last
    return { next: { orgId, position, seq, at: new Date(at) }, isEnd: false }
  }
  return { next: { orgId, position: horizon, seq: '0', at: now }, isEnd: true }
}
