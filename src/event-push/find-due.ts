import { allRows, type Statement } from '../db/statement.ts'
import { MARGIN_MS } from '../event-feed/read-page.ts'
import { HORIZON } from '../event-log/position.ts'
import type { EndpointKey } from './target.ts'

/** The endpoints that get events now, of some orgs. */
export function listTargets(orgIds: string[]): Statement<EndpointKey[]> {
  return {
    name: 'list-webhook-targets',
    text: `select org_id as "orgId", id as "endpointId" from webhook_endpoints
      where org_id = any($1::text[]) and enabled and (paused_until is null or paused_until <= now())`,
    values: [orgIds],
    read: allRows<EndpointKey>,
    isEmpty: orgIds.length === 0,
  }
}

/** The orgs with endpoints that get events. */
export const LIST_SUBSCRIBED: Statement<string[]> = {
  name: 'list-subscribed-orgs',
  text: 'select distinct org_id from webhook_endpoints where enabled',
  values: [],
  read: (rows: { org_id: string }[]) => rows.map((row) => row.org_id),
}

/** The endpoints with lanes that are due. */
export const LIST_DUE_LANES: Statement<EndpointKey[]> = {
  name: 'list-due-webhook-lanes',
  text: `select distinct l.org_id as "orgId", l.endpoint_id as "endpointId" from webhook_lanes l
    join webhook_endpoints e on e.org_id = l.org_id and e.id = l.endpoint_id
    where l.due_at <= now() and l.held_at is null and e.enabled and (e.paused_until is null or e.paused_until <= now())`,
  values: [],
  read: allRows<EndpointKey>,
}

/** The endpoints for which something is due, whether or not a job says so: a lane, or an event beyond the head. */
export function findDue(): Statement<EndpointKey[]> {
  return {
    name: 'find-due-webhooks',
    text: `select e.org_id as "orgId", e.id as "endpointId" from webhook_endpoints e
      where e.enabled and (e.paused_until is null or e.paused_until <= now()) and (
        exists (select from webhook_lanes l where l.org_id = e.org_id and l.endpoint_id = e.id
          and l.due_at <= now() and l.held_at is null)
        or exists (select from event_log v where v.org_id = e.org_id and (v.position, v.seq) > (e.position, e.seq)
          and v.at >= e.at - interval '${MARGIN_MS} milliseconds' and v.position < ${HORIZON})
        or e.position > ${HORIZON})`,
    values: [],
    read: allRows<EndpointKey>,
  }
}
