import type { Db } from '../../db/client.ts'
import { allRows, run, type Statement } from '../../db/statement.ts'
import type { EventType } from '../../event-log/types.ts'
import { REPLAY_LANE } from '../../event-push/plan-lanes.ts'

/** An endpoint with the figures of its last requests. `times`: how long the last 60 took, in ms, the newest last. */
export type ShownEndpoint = {
  orgId: string
  id: string
  url: string
  description: string | null
  types: EventType[] | null
  enabled: boolean
  disabledReason: string | null
  failingSince: Date | null
  pausedUntil: Date | null
  isReplaying: boolean
  requests: number
  delivered: number
  times: number[]
}

export const MAX_SHOWN = 20
const TIMES = 60

/** The endpoints of these orgs, or one of them: those that Usher disabled first, then those that fail, then the newest. */
function selectShown(orgIds: string[], id?: string): Statement<ShownEndpoint[]> {
  return {
    name: 'console-webhook-endpoints',
    text: `with shown as materialized (
        select * from webhook_endpoints where org_id = any($1::text[]) and ($2::uuid is null or id = $2)
        order by disabled_at is null, failing_since is null, id desc limit ${MAX_SHOWN})
      select e.org_id as "orgId", e.id, e.url, e.description, e.types, e.enabled,
        e.disabled_reason as "disabledReason", e.failing_since as "failingSince",
        case when e.paused_until > now() then e.paused_until end as "pausedUntil",
        exists (select from webhook_lanes l
          where l.org_id = e.org_id and l.endpoint_id = e.id and l.lane = ${REPLAY_LANE}) as "isReplaying",
        a.requests, a.delivered, coalesce(a.times[greatest(1, a.requests - ${TIMES - 1}):], '{}') as times
      from shown e
      cross join lateral (
        select count(*)::int as requests, count(*) filter (where t.outcome = 'delivered')::int as delivered,
          array_agg(t.duration_ms order by t.id) as times
        from webhook_attempts t where t.org_id = e.org_id and t.endpoint_id = e.id) a
      order by e.disabled_at is null, e.failing_since is null, e.id desc`,
    values: [orgIds, id ?? null],
    read: allRows<ShownEndpoint>,
  }
}

/** At most 20 endpoints of these orgs, those first that need somebody. */
export function listShown(db: Db, orgIds: string[]): Promise<ShownEndpoint[]> {
  return run(db, selectShown(orgIds))
}

/** One endpoint; undefined when the org has none with this id. */
export async function readShown(db: Db, orgId: string, id: string): Promise<ShownEndpoint | undefined> {
  const [found] = await run(db, selectShown([orgId], id))
  return found
}
