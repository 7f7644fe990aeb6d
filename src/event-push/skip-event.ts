import { nothing, type Statement } from '../db/statement.ts'
import type { LaneEvent } from './read-lane-pages.ts'
import type { EndpointKey } from './target.ts'

/** Notes an event that an endpoint rejected for good. */
export function noteSkip(
  { orgId, endpointId }: EndpointKey,
  { position, seq, at, row: { type } }: LaneEvent,
  reason: string,
): Statement<void> {
  return {
    name: 'note-webhook-skip',
    text: `insert into webhook_skips (org_id, endpoint_id, seq, position, at, type, reason)
      values ($1, $2, $3, $4, $5, $6, $7) on conflict (org_id, endpoint_id, seq) do update
      set reason = excluded.reason, skipped_at = now()`,
    values: [orgId, endpointId, seq, position, at, type, reason],
    read: nothing,
  }
}
