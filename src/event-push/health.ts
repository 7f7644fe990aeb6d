import { recordEvents } from '../audit/record-events.ts'
import { AT_ONCE } from '../db/at-once.ts'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { nothing, rowCount, type Statement, send } from '../db/statement.ts'
import type { EndpointKey } from './target.ts'

/**
 * A request to an endpoint failed. The endpoint is failing from now on, if it was not, and nothing is posted to it during
 * the pause that it asked for.
 * @returns for how many milliseconds it has been failing
 */
export function noteFailure({ orgId, endpointId }: EndpointKey, pauseMs: number): Statement<number> {
  return {
    name: 'note-webhook-failure',
    text: `update webhook_endpoints set failing_since = coalesce(failing_since, now()),
        paused_until = case when $3 > 0 then greatest(paused_until, now() + $3::float8 * interval '1 millisecond')
          else paused_until end
      where org_id = $1 and id = $2
      returning (extract(epoch from now() - failing_since) * 1000)::float8 as ms`,
    values: [orgId, endpointId, pauseMs],
    read: ([row]: { ms: number }[]) => row?.ms ?? 0,
  }
}

/** An endpoint that was failing for less has not been down: what fails then may be the fault of an event. */
const DOWN = `interval '30 seconds'`

/** An endpoint has shown that it works. If it was down, the lanes that wait for it are due at once. */
export function noteWorks({ orgId, endpointId }: EndpointKey): Statement<void> {
  return {
    name: 'note-webhook-works',
    text: `with was as (
        select org_id, id, failing_since from webhook_endpoints
        where org_id = $1 and id = $2 and failing_since is not null for update),
      works as (
        update webhook_endpoints e set failing_since = null from was where e.org_id = was.org_id and e.id = was.id)
      update webhook_lanes l set due_at = ${AT_ONCE} from was
      where l.org_id = was.org_id and l.endpoint_id = was.id and was.failing_since < now() - ${DOWN}
        and l.lease_id is null and l.failures > 0 and l.held_at is null`,
    values: [orgId, endpointId],
    read: nothing,
  }
}

/** A lane that a worker has. */
type LeasedLane = EndpointKey & { lane: number; leaseId: string }

/**
 * Disables an endpoint because of an answer to the worker of a lane, unless it is disabled, or has changed since the
 * request; where it stopped stays as it is. Gives whether it did.
 */
export async function disableEndpoint(db: Db, lane: LeasedLane, reason: string): Promise<boolean> {
  const { orgId, endpointId } = lane
  return inRetriedTransaction(db, async (tx) => {
    const [, disabled] = await send(tx, [lockEndpointOf(lane), disable(lane, reason)])
    if (disabled === 0) return false
    await recordEvents(tx, [
      { orgId, kind: 'webhook_endpoint.disabled', actor: 'webhooks', reason, after: { id: endpointId } },
    ])
    return true
  })
}

/** Who changes an endpoint locks it, and takes its lanes from their workers. */
function lockEndpointOf({ orgId, endpointId }: LeasedLane): Statement<void> {
  return {
    name: 'lock-endpoint-to-disable',
    text: 'select from webhook_endpoints where org_id = $1 and id = $2 for update',
    values: [orgId, endpointId],
    read: nothing,
  }
}

function disable({ orgId, endpointId, lane, leaseId }: LeasedLane, reason: string): Statement<number> {
  return {
    name: 'disable-webhook-endpoint',
    text: `update webhook_endpoints e set enabled = false, disabled_at = now(), disabled_reason = $3, updated_at = now()
      where e.org_id = $1 and e.id = $2 and e.enabled and exists (
        select from webhook_lanes l
        where l.org_id = $1 and l.endpoint_id = $2 and l.lane = $4 and l.lease_id = $5)`,
    values: [orgId, endpointId, reason, lane, leaseId],
    read: rowCount,
  }
}
