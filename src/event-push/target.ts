import { columns, text, uuid } from '../db/columns.ts'
import type { ON_REJECTION } from '../db/schema/index.ts'
import { over, type Statement } from '../db/statement.ts'
import type { EventType } from '../event-log/types.ts'
import type { Place } from './place.ts'

/** The key of an endpoint. */
export type EndpointKey = { orgId: string; endpointId: string }

/** An endpoint to which events may be posted now, as a taker reads it. `now`: the database's clock. */
export type Target = EndpointKey & {
  url: string
  types: EventType[] | null
  includeContent: boolean
  onRejection: (typeof ON_REJECTION)[number]
  secret: Buffer
  /** Undefined when its time is over. */
  oldSecret: Buffer | null
  head: Place
  /** No answer has shown that it works since a request failed. */
  isFailing: boolean
  now: Date
}

type Row = Omit<Target, 'head'> & Place

/** Endpoints as a set. */
export const KEYS = columns<EndpointKey>({
  org_id: text((key) => key.orgId),
  endpoint_id: uuid((key) => key.endpointId),
})

/**
 * Locks endpoints, so that nobody else gives out their lanes, and reads them. Those to which nothing may be posted now are
 * missing: they are disabled, have asked for a pause, or somebody else has locked them.
 */
export function lockTargets(keys: EndpointKey[]): Statement<Target[]> {
  return over(KEYS, keys, {
    name: 'lock-webhook-endpoints',
    text: `select e.org_id as "orgId", e.id as "endpointId", e.url, e.types, e.include_content as "includeContent",
        e.on_rejection as "onRejection", e.secret,
        case when e.old_secret_until > now() then e.old_secret end as "oldSecret",
        e.position::float8 as position, e.seq::float8 as seq, e.at, e.failing_since is not null as "isFailing",
        clock_timestamp() as now
      from webhook_endpoints e
      where (e.org_id, e.id) in (select org_id, endpoint_id from ${KEYS.as('k')})
        and e.enabled and (e.paused_until is null or e.paused_until <= now())
      order by e.org_id, e.id for update skip locked`,
    read: (rows: Row[]) =>
      rows.map(({ position, seq, at, ...target }) => ({ ...target, head: { position, seq, at } })),
  })
}
