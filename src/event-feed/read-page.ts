import type { Db } from '../db/client.ts'
import { run } from '../db/statement.ts'
import { HORIZON } from '../event-log/position.ts'
import type { EventType } from '../event-log/types.ts'
import { outboxIdOfSql } from '../rules/provisional-wamid.ts'
import type { Cursor } from './cursor.ts'

/** A row of the log with the rows that it names, as of now. */
export type EventRow = {
  position: string
  seq: string
  at: Date
  type: EventType
  data: Record<string, unknown> | null
  wamid: string | null
  message: Record<string, unknown> | null
  /** What Meta sent, or what was sent to Meta. */
  payload: unknown
  audit: Record<string, unknown> | null
  account: Record<string, unknown> | null
  chatroomId: string | null
  contact: { id: string; crm_id: string } | null
  customer: { id: string; merged_into: string | null; names: { kind: string; value: string }[] } | null
}

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

/**
 * The log that a page is made of, then what its rows name. Only the partitions since the margin are read. An event that
 * names a message by its provisional wamid finds it also when Meta has given it another one since.
 */
const TEXT = `with horizon as materialized (select ${HORIZON} as position),
  scanned as materialized (
    select l.position, l.seq, l.at, l.type, l.customer_id, l.wamid, l.audit_id, l.data from event_log l
    where l.org_id = $1 and (l.position, l.seq) > ($2::bigint, $3::bigint) and l.at >= $4::timestamptz
      and l.position < (select position from horizon)
    order by l.position, l.seq limit $5),
  page as materialized (
    select * from scanned where $6::text[] is null or type = any($6::text[]) order by position, seq limit $7)
  select h.position::text as horizon, clock_timestamp() as now, s.count as scanned, s.last,
    w.position::text as position, w.seq::text as seq, w.at, w.type, w.data, w.wamid,
    case when m.wamid is not null then json_build_object('id', m.outbox_id, 'retry_of', m.retry_of,
      'direction', m.direction, 'type', m.type,
      'sent_at', m.sent_at, 'received_at', m.received_at, 'route', m.route, 'reason', m.reason, 'wa_id', m.wa_id,
      'user_id', m.user_id, 'remote_phone_id', p.remote_id) end as message, m.payload,
    case when a.id is not null then json_build_object('actor', a.actor, 'reason', a.reason, 'wamid', a.wamid,
      'before', a.before, 'after', a.after) end as audit,
    case when x.digest is not null then json_build_object('waba_id', x.waba_id, 'field', x.field,
      'value', x.payload) end as account,
    coalesce(a.chatroom_id, m.chatroom_id) as "chatroomId",
    case when c.id is not null then json_build_object('id', c.id, 'crm_id', c.crm_id) end as contact,
    case when k.id is not null then json_build_object('id', k.id, 'merged_into', k.merged_into, 'names', (
      select coalesce(json_agg(json_build_object('kind', n.kind, 'value', n.value) order by n.kind, n.value), '[]')
      from customer_aliases n where n.org_id = $1 and n.customer_id = coalesce(k.merged_into, k.id))) end as customer
  from horizon h
  cross join (select count(*)::int as count, (array_agg(json_build_array(position::text, seq::text, at)
    order by position desc, seq desc))[1] as last from scanned) s
  left join page w on true
  left join lateral (
    select * from messages where org_id = $1 and wamid = w.wamid
    union all
    select * from messages where org_id = $1 and outbox_id = ${outboxIdOfSql('w.wamid')} limit 1) m on true
  left join events a on a.org_id = $1 and a.id = w.audit_id
  left join chatrooms r on r.org_id = $1 and r.id = coalesce(a.chatroom_id, m.chatroom_id)
  left join account_events x on x.org_id = $1 and x.digest = decode(w.data ->> 'digest', 'hex')
  left join contacts c on c.org_id = $1 and c.id = coalesce(a.contact_id, r.contact_id)
  left join customers k on k.org_id = $1 and k.id = w.customer_id
  left join waba_phones p on p.org_id = $1 and p.id = m.waba_phone_id
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
  const rows = await run(db, {
    name: 'read-events',
    text: TEXT,
    values: [orgId, position, seq, since, scans, types ?? null, limit],
    read: (found: Row[]) => found,
  })
  const [first] = rows
  if (!first) throw new Error('the event log gave no horizon')
  const events = rows.filter((row) => row.position !== null)
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
