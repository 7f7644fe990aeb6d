import type { Db } from '../db/client.ts'
import { allRows, run } from '../db/statement.ts'
import { readInOrder } from '../db/transaction.ts'
import type { ExportLine } from './export-sections.ts'
import type { KnownPerson } from './find-person.ts'

/** Rows of the log that a page looks at. */
const SCANNED = 5_000

/** A place in the event log of an org. */
export type LogPlace = { position: string; seq: string }

/** Before the first event. */
export const LOG_START: LogPlace = { position: '-1', seq: '0' }

/** The events of the customers $5 behind a place, and where the page ended; the log has no index by customer. */
export const SCAN_LOG = `with scanned as materialized (
    select position, seq, at, type, customer_id, wamid, audit_id, data from event_log
    where org_id = $1 and (position, seq) > ($2::bigint, $3::bigint) order by position, seq limit $4)`

type Row = {
  id: string | null
  type: string
  at: Date
  customer_id: string
  wamid: string | null
  audit_id: string | null
  data: unknown
  last_position: string
  last_seq: string
}

/** The events of the person in the event log, and the requests that posted them to webhook endpoints. */
export async function* exportEvents(
  db: Db,
  { orgId, customerIds }: KnownPerson,
): AsyncGenerator<ExportLine[]> {
  for (let place: LogPlace | undefined = LOG_START; place; ) {
    const rows: Row[] = await readInOrder(db, {
      name: 'export-events',
      text: `${SCAN_LOG},
        last as (select position::text as last_position, seq::text as last_seq from scanned
          order by position desc, seq desc limit 1)
        select 'evt_' || s.seq as id, s.type, s.at, s.customer_id, s.wamid, s.audit_id, s.data, last.*
        from last left join scanned s on s.customer_id = any($5::uuid[]) order by s.position, s.seq`,
      values: [orgId, place.position, place.seq, SCANNED, customerIds],
      read: allRows<Row>,
    })
    const [first] = rows
    const events = rows
      .filter(({ id }) => id !== null)
      .map(({ last_position, last_seq, ...event }) => ({ kind: 'event', ...event }))
    if (events.length > 0) yield events
    const attempts = await readAttempts(
      db,
      orgId,
      events.map(({ id }) => id ?? ''),
    )
    if (attempts.length > 0) yield attempts
    place = first && { position: first.last_position, seq: first.last_seq }
  }
}

/** Each endpoint has a few hundred requests. */
async function readAttempts(db: Db, orgId: string, eventIds: string[]): Promise<ExportLine[]> {
  if (eventIds.length === 0) return []
  return run(db, {
    name: 'export-webhook-attempts',
    text: `select 'webhook_attempt' as kind, endpoint_id, event_id, type, at, outcome, status, error, duration_ms, answer
      from webhook_attempts where org_id = $1 and event_id = any($2::text[]) order by endpoint_id, id`,
    values: [orgId, eventIds],
    read: allRows<ExportLine>,
  })
}
