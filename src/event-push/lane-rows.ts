import { bigint, columns, int, timestamptz, uuid } from '../db/columns.ts'
import { allRows, nothing, over, type Statement } from '../db/statement.ts'
import type { Trouble } from './decide.ts'
import type { Place } from './place.ts'
import { LANES, type LaneRow } from './plan-lanes.ts'
import type { EndpointKey } from './target.ts'

/** A worker has a lane for so long, unless it goes on; after that the worker counts as dead. */
export const LEASE_MS = 60_000
/** While the lease has so much left, progress leaves it as it is: a change of `due_at` would write all indexes of the row. */
export const LEFT_MS = 40_000

/** A lane that is behind, with what its next event has been through. */
export type TroubledRow = LaneRow & Trouble

/** Reads the lanes of an endpoint that are not at its head. */
export function readLanes({ orgId, endpointId }: EndpointKey): Statement<TroubledRow[]> {
  return {
    name: 'read-webhook-lanes',
    text: `select lane, position::float8 as position, seq::float8 as seq, at, failures, rejections,
        coalesce(extract(epoch from now() - failing_since) * 1000, 0)::float8 as ms,
        due_at <= now() and held_at is null as "isFree", lease_id is not null and due_at > now() as "isLeased"
      from webhook_lanes where org_id = $1 and endpoint_id = $2 and lane < ${LANES}`,
    values: [orgId, endpointId],
    read: allRows<TroubledRow>,
  }
}

/** A lane to write: with a lease, or due at once. */
export type LaneWrite = Place & { lane: number; leaseId: string | null }

const WRITES = columns<LaneWrite>({
  lane: int((w) => w.lane),
  position: bigint((w) => w.position),
  seq: bigint((w) => w.seq),
  at: timestamptz((w) => w.at),
  lease_id: uuid((w) => w.leaseId),
})

/**
 * Writes lanes, under the lock of their endpoint. A lane that moves forgets the trouble of the event that was next, which
 * is not posted any more.
 */
export function writeLanes({ orgId, endpointId }: EndpointKey, writes: LaneWrite[]): Statement<void> {
  return over(WRITES, writes, {
    name: 'write-webhook-lanes',
    text: `insert into webhook_lanes as l (org_id, endpoint_id, ${WRITES.names}, due_at)
      select $6, $7::uuid, ${WRITES.names},
        now() + case when lease_id is null then interval '0' else interval '${LEASE_MS} milliseconds' end
      from ${WRITES.as('w')}
      on conflict (org_id, endpoint_id, lane) do update set position = excluded.position, seq = excluded.seq,
        at = excluded.at, lease_id = excluded.lease_id, due_at = excluded.due_at,
        failures = case when (l.position, l.seq) = (excluded.position, excluded.seq) then l.failures else 0 end,
        rejections = case when (l.position, l.seq) = (excluded.position, excluded.seq) then l.rejections else 0 end,
        failing_since = case when (l.position, l.seq) = (excluded.position, excluded.seq) then l.failing_since end`,
    values: [orgId, endpointId],
    read: nothing,
  })
}

/** Lanes that have reached the head, and stand there from now on. */
export function deleteLanes({ orgId, endpointId }: EndpointKey, lanes: number[]): Statement<void> {
  return {
    name: 'delete-webhook-lanes',
    text: 'delete from webhook_lanes where org_id = $1 and endpoint_id = $2 and lane = any($3::int[])',
    values: [orgId, endpointId, lanes],
    read: nothing,
    isEmpty: lanes.length === 0,
  }
}

/** Moves the head of an endpoint, where all lanes without a row stand. */
export function moveHead({ orgId, endpointId }: EndpointKey, head: Place): Statement<void> {
  return {
    name: 'move-webhook-head',
    text: 'update webhook_endpoints set position = $3, seq = $4, at = $5 where org_id = $1 and id = $2',
    values: [orgId, endpointId, head.position, head.seq, head.at],
    read: nothing,
  }
}
