import type { ON_REJECTION } from '../db/schema/index.ts'
import { firstRow, type Statement } from '../db/statement.ts'
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

/**
 * Locks an endpoint, so that nobody else gives out its lanes, and reads it. Undefined: nothing may be posted to it now,
 * because it is disabled, or has asked for a pause.
 */
export function lockTarget({ orgId, endpointId }: EndpointKey): Statement<Target | undefined> {
  return {
    name: 'lock-webhook-endpoint',
    text: `select org_id as "orgId", id as "endpointId", url, types, include_content as "includeContent",
        on_rejection as "onRejection", secret, case when old_secret_until > now() then old_secret end as "oldSecret",
        position::float8 as position, seq::float8 as seq, at, failing_since is not null as "isFailing",
        clock_timestamp() as now
      from webhook_endpoints
      where org_id = $1 and id = $2 and enabled and (paused_until is null or paused_until <= now())
      for update`,
    values: [orgId, endpointId],
    read: (rows: Row[]) => {
      const row = firstRow(rows)
      if (!row) return undefined
      const { position, seq, at, ...target } = row
      return { ...target, head: { position, seq, at } }
    },
  }
}
