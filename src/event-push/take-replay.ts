import type { Db } from '../db/client.ts'
import { firstRow, run, type Statement, send } from '../db/statement.ts'
import { COMMIT_ON_DISK } from '../db/transaction.ts'
import { addOlderMessages } from '../event-feed/add-older-messages.ts'
import { EVENT_FIELDS, type EventRow, eventJoins, messagesSince } from '../event-feed/event-sql.ts'
import { MARGIN_MS } from '../event-feed/read-page.ts'
import { HORIZON } from '../event-log/position.ts'
import type { Trouble } from './decide.ts'
import { deleteLanes, writeLanes } from './lane-rows.ts'
import type { Place } from './place.ts'
import { EVENTS_OF_LANE, REPLAY_LANE } from './plan-lanes.ts'
import type { LaneEvent } from './read-lane-page.ts'
import type { Target } from './target.ts'

/** A replay is a lane of all customers, which ends with its period. */
type TakenReplay = {
  lane: number
  place: Place
  events: LaneEvent[]
  upTo: Place
  isMore: boolean
  trouble: Trouble
}

type Replay = Place & Trouble & { endsAt: Date }

/** Beyond all places of the log, so that the lane is gone when it stands there. */
const END: Omit<Place, 'at'> = { position: Number.MAX_SAFE_INTEGER, seq: 0 }

/** Takes the next events of the endpoint's replay. */
export async function takeReplay(
  tx: Db,
  target: Target,
  leaseId: string,
  replay: Replay | undefined,
): Promise<TakenReplay | undefined> {
  if (!replay) return undefined
  const { position, seq, at, endsAt, ...trouble } = replay
  const events = await run(tx, readReplayPage(target, replay))
  const last = events.at(-1)
  if (!last) {
    await run(tx, deleteLanes(target, [REPLAY_LANE]))
    return undefined
  }
  await addOlderMessages(
    tx,
    target.orgId,
    events.map(({ row }) => row),
  )
  const place = { position, seq, at }
  await send(tx, [writeLanes(target, [{ ...place, lane: REPLAY_LANE, leaseId }]), COMMIT_ON_DISK])
  const upTo = events.length < EVENTS_OF_LANE ? { ...END, at: endsAt } : last
  return { lane: REPLAY_LANE, place, events, upTo, isMore: false, trouble }
}

/** The replay of an endpoint, if it has one that is due. */
export function readReplay({ orgId, endpointId }: Target): Statement<Replay | undefined> {
  return {
    name: 'read-webhook-replay',
    text: `select position::float8 as position, seq::float8 as seq, at, ends_at as "endsAt", failures, rejections,
        coalesce(extract(epoch from now() - failing_since) * 1000, 0)::float8 as ms
      from webhook_lanes
      where org_id = $1 and endpoint_id = $2 and lane = ${REPLAY_LANE} and due_at <= now() and held_at is null`,
    values: [orgId, endpointId],
    read: firstRow<Replay>,
  }
}

/** The first page begins at a time, the others behind an event. */
function readReplayPage(
  { orgId, types }: Target,
  { position, seq, at, endsAt }: Replay,
): Statement<LaneEvent[]> {
  const since = position === 0 ? at : new Date(at.getTime() - MARGIN_MS)
  return {
    name: 'read-replayed-events',
    text: `with w as materialized (
        select l.position, l.seq, l.at, l.type, l.customer_id, l.wamid, l.audit_id, l.data from event_log l
        where l.org_id = $1 and (l.position, l.seq) > ($2::bigint, $3::bigint) and l.at >= $4 and l.at <= $5
          and l.position < ${HORIZON} and ($6::text[] is null or l.type = any($6::text[]))
        order by l.position, l.seq limit ${EVENTS_OF_LANE})
      select ${EVENT_FIELDS} from w ${eventJoins('$7')} order by w.position, w.seq`,
    values: [orgId, position, seq, since, endsAt, types, messagesSince(since)],
    read: (rows: EventRow[]) =>
      rows.map((row) => ({ position: Number(row.position), seq: Number(row.seq), at: row.at, row })),
  }
}
