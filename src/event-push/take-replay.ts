import type { Db } from '../db/client.ts'
import { run, type Statement, send } from '../db/statement.ts'
import { COMMIT_ON_DISK } from '../db/transaction.ts'
import { addOlderMessages } from '../event-feed/add-older-messages.ts'
import { EVENT_FIELDS, type EventRow, eventJoins, messagesSince } from '../event-feed/event-sql.ts'
import { MARGIN_MS } from '../event-feed/read-page.ts'
import { HORIZON } from '../event-log/position.ts'
import type { Trouble } from './decide.ts'
import { deleteLanes, type TroubledRow, writeLanes } from './lane-rows.ts'
import type { Place } from './place.ts'
import { EVENTS_OF_LANE, REPLAY_LANE } from './plan-lanes.ts'
import type { LaneEvent } from './read-lane-pages.ts'
import type { Target } from './target.ts'

/** A replay is a lane of all customers, which ends with its period. */
export type TakenReplay = {
  lane: number
  place: Place
  events: LaneEvent[]
  upTo: Place
  isMore: boolean
  trouble: Trouble
}

/** Beyond all places of the log, so that the lane is gone when it stands there. */
const END: Omit<Place, 'at'> = { position: Number.MAX_SAFE_INTEGER, seq: 0 }

/** Takes the next events of the endpoint's replay. */
export async function takeReplay(
  tx: Db,
  target: Target,
  leaseId: string,
  replay: TroubledRow,
): Promise<TakenReplay | undefined> {
  const { orgId, endpointId, position, seq, at, endsAt, failures, rejections, ms } = replay
  const key = { orgId, endpointId, lane: REPLAY_LANE }
  const events = await run(tx, readReplayPage(target, replay))
  const last = events.at(-1)
  if (!last) {
    await run(tx, deleteLanes([key]))
    return undefined
  }
  await addOlderMessages(
    tx,
    target.orgId,
    events.map(({ row }) => row),
  )
  const place = { position, seq, at }
  await send(tx, [writeLanes([{ ...place, ...key, leaseId }]), COMMIT_ON_DISK])
  const upTo = events.length < EVENTS_OF_LANE ? { ...END, at: endsAt ?? at } : last
  return { lane: REPLAY_LANE, place, events, upTo, isMore: false, trouble: { failures, rejections, ms } }
}

/** The first page begins at a time, the others behind an event. */
function readReplayPage(
  { orgId, types }: Target,
  { position, seq, at, endsAt }: TroubledRow,
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
