import { AT_ONCE } from '../db/at-once.ts'
import { bigint, columns, int, text, timestamptz, uuid } from '../db/columns.ts'
import { allRows, nothing, over, type Statement } from '../db/statement.ts'
import type { Trouble } from './decide.ts'
import type { Place } from './place.ts'
import type { LaneRow } from './plan-lanes.ts'
import { type EndpointKey, KEYS } from './target.ts'

/** A worker has a lane for so long, unless it goes on; after that the worker counts as dead. */
export const LEASE_MS = 60_000
/** While the lease has so much left, progress leaves it as it is: a change of `due_at` would write all indexes of the row. */
export const LEFT_MS = 40_000

/** A lane that is not at the head, with what its next event has been through. `endsAt`: of a replay, the end of its period. */
export type TroubledRow = EndpointKey & LaneRow & Trouble & { endsAt: Date | null }

/** Reads the lanes of endpoints that are not at their heads, replays included. */
export function readLanes(keys: EndpointKey[]): Statement<TroubledRow[]> {
  return over(KEYS, keys, {
    name: 'read-webhook-lanes',
    text: `select org_id as "orgId", endpoint_id as "endpointId", lane, position::float8 as position, seq::float8 as seq,
        at, failures, rejections, coalesce(extract(epoch from now() - failing_since) * 1000, 0)::float8 as ms,
        due_at <= now() and held_at is null as "isFree", lease_id is not null and due_at > now() as "isLeased",
        ends_at as "endsAt"
      from webhook_lanes where (org_id, endpoint_id) in (select org_id, endpoint_id from ${KEYS.as('k')})`,
    read: allRows<TroubledRow>,
  })
}

/** A lane to write: with a lease, or due at once. */
export type LaneWrite = EndpointKey & Place & { lane: number; leaseId: string | null }

const WRITES = columns<LaneWrite>({
  org_id: text((w) => w.orgId),
  endpoint_id: uuid((w) => w.endpointId),
  lane: int((w) => w.lane),
  position: bigint((w) => w.position),
  seq: bigint((w) => w.seq),
  at: timestamptz((w) => w.at),
  lease_id: uuid((w) => w.leaseId),
})

/**
 * Writes lanes, under the locks of their endpoints. A lane that moves forgets the trouble of the event that was next, which
 * is not posted any more.
 */
export function writeLanes(writes: LaneWrite[]): Statement<void> {
  return over(WRITES, writes, {
    name: 'write-webhook-lanes',
    text: `insert into webhook_lanes as l (${WRITES.names}, due_at)
      select ${WRITES.names},
        ${AT_ONCE} + case when lease_id is null then interval '0' else interval '${LEASE_MS} milliseconds' end
      from ${WRITES.as('w')}
      on conflict (org_id, endpoint_id, lane) do update set position = excluded.position, seq = excluded.seq,
        at = excluded.at, lease_id = excluded.lease_id, due_at = excluded.due_at,
        failures = case when (l.position, l.seq) = (excluded.position, excluded.seq) then l.failures else 0 end,
        rejections = case when (l.position, l.seq) = (excluded.position, excluded.seq) then l.rejections else 0 end,
        failing_since = case when (l.position, l.seq) = (excluded.position, excluded.seq) then l.failing_since end`,
    read: nothing,
  })
}

/** A lane of an endpoint. */
export type LaneKey = EndpointKey & { lane: number }

const LANE_KEYS = columns<LaneKey>({
  org_id: text((key) => key.orgId),
  endpoint_id: uuid((key) => key.endpointId),
  lane: int((key) => key.lane),
})

/** Deletes lanes that have reached the head, and stand there from now on. */
export function deleteLanes(keys: LaneKey[]): Statement<void> {
  return over(LANE_KEYS, keys, {
    name: 'delete-webhook-lanes',
    text: `delete from webhook_lanes where (org_id, endpoint_id, lane) in (select ${LANE_KEYS.names} from ${LANE_KEYS.as('k')})`,
    read: nothing,
  })
}

/** Where the lanes of an endpoint without a row stand. */
export type Head = EndpointKey & Place

const HEADS = columns<Head>({
  org_id: text((head) => head.orgId),
  endpoint_id: uuid((head) => head.endpointId),
  position: bigint((head) => head.position),
  seq: bigint((head) => head.seq),
  at: timestamptz((head) => head.at),
})

/** Moves the heads of endpoints. */
export function moveHeads(heads: Head[]): Statement<void> {
  return over(HEADS, heads, {
    name: 'move-webhook-heads',
    text: `update webhook_endpoints e set position = h.position, seq = h.seq, at = h.at from ${HEADS.as('h')}
      where e.org_id = h.org_id and e.id = h.endpoint_id`,
    read: nothing,
  })
}
