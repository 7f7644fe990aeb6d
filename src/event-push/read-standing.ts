import type { Db } from '../db/client.ts'
import type { WebhookEndpoint } from '../db/schema/index.ts'
import { run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { encodeCursor } from '../event-feed/cursor.ts'
import { MARGIN_MS } from '../event-feed/read-page.ts'
import { HORIZON } from '../event-log/position.ts'
import { LANE } from './lane-page-sql.ts'
import { LANES } from './plan-lanes.ts'

/** Events that are still to be posted are counted up to so many, and looked for among so many rows of the log. */
const MAX_COUNTED = 10_000
const MAX_SCANNED = 20_000

/** How far an endpoint is. `position`: a cursor of the event log; everything up to there was posted. */
export type EndpointStanding = {
  position: string
  lag_events: number
  lag_seconds: number
  held_lanes: number
  skipped_events: number
}

type Row = Omit<EndpointStanding, 'position'> & { position: string; seq: string; at: Date }

const TEXT = `with lanes as materialized (
    select n.lane, coalesce(l.position, e.position) as position, coalesce(l.seq, e.seq) as seq, coalesce(l.at, e.at) as at
    from webhook_endpoints e cross join generate_series(0, ${LANES - 1}) as n(lane)
    left join webhook_lanes l on l.org_id = e.org_id and l.endpoint_id = e.id and l.lane = n.lane
    where e.org_id = $1 and e.id = $2),
  behind as materialized (select position, seq, at from lanes order by position, seq limit 1),
  places as (
    select array_agg(position order by lane) as positions, array_agg(seq order by lane) as seqs from lanes),
  scanned as materialized (
    select l.position, l.seq, l.at, l.type, ${LANE} as lane from event_log l
    where l.org_id = $1 and (l.position, l.seq) > ((select position from behind), (select seq from behind))
      and l.at >= (select at from behind) - interval '${MARGIN_MS} milliseconds' and l.position < ${HORIZON}
    order by l.position, l.seq limit ${MAX_SCANNED}),
  waiting as materialized (
    select s.at from scanned s cross join places p
    where (s.position, s.seq) > (p.positions[s.lane + 1], p.seqs[s.lane + 1])
      and ($3::text[] is null or s.type = any($3::text[])) limit ${MAX_COUNTED})
  select b.position::text as position, b.seq::text as seq, b.at, (select count(*) from waiting)::int as lag_events,
    coalesce(extract(epoch from clock_timestamp() - (select min(w.at) from waiting w)), 0)::float8 as lag_seconds,
    (select count(*) from webhook_lanes h
      where h.org_id = $1 and h.endpoint_id = $2 and h.held_at is not null)::int as held_lanes,
    (select count(*) from webhook_skips k where k.org_id = $1 and k.endpoint_id = $2)::int as skipped_events
  from behind b`

/** Reads how far an endpoint is. @throws ApiError WEBHOOK_ENDPOINT_NOT_FOUND when it was deleted meanwhile */
export async function readStanding(
  db: Db,
  { orgId, id, types }: Pick<WebhookEndpoint, 'orgId' | 'id' | 'types'>,
): Promise<EndpointStanding> {
  const row = await run(db, {
    name: 'read-webhook-standing',
    text: TEXT,
    values: [orgId, id, types],
    read: ([first]: Row[]) => first,
  })
  if (!row) throw new ApiError('WEBHOOK_ENDPOINT_NOT_FOUND')
  const { position, seq, at, ...figures } = row
  return { ...figures, position: encodeCursor({ orgId, position, seq, at }) }
}
