import { AT_ONCE } from '../db/at-once.ts'
import { bigint, columns, int, text, timestamptz, uuid } from '../db/columns.ts'
import { over, type Statement } from '../db/statement.ts'
import { LEASE_MS, LEFT_MS } from './lane-rows.ts'
import type { Place } from './place.ts'
import type { EndpointKey } from './target.ts'

/**
 * What became of a lane. `place`: up to there its events are delivered, or skipped.
 * `goes_on`: its worker goes on, and has it for `LEFT_MS` or longer; `ends`: nothing is left of what the worker took;
 * `waits`: its next event is tried again after `waitMs`; `held`: people must help.
 */
export type Progress = EndpointKey & {
  lane: number
  leaseId: string
  place: Place
  step: 'goes_on' | 'ends' | 'waits' | 'held'
  waitMs: number
  /** Of the next event. */
  failures: number
  rejections: number
}

const PROGRESS = columns<Progress>({
  org_id: text((p) => p.orgId),
  endpoint_id: uuid((p) => p.endpointId),
  lane: int((p) => p.lane),
  lease_id: uuid((p) => p.leaseId),
  position: bigint((p) => p.place.position),
  seq: bigint((p) => p.place.seq),
  at: timestamptz((p) => p.place.at),
  step: text((p) => p.step),
  wait_ms: bigint((p) => p.waitMs),
  failures: int((p) => p.failures),
  rejections: int((p) => p.rejections),
})

const SAME_LANE = `l.org_id = p.org_id and l.endpoint_id = p.endpoint_id and l.lane = p.lane and l.lease_id = p.lease_id`
const AT_HEAD = `p.step = 'ends' and (p.position, p.seq) >= (e.position, e.seq)`

/** `lost`: the lane was not this worker's any more, and nothing was recorded; `behind` or `at_head`: where it stands. */
export type Standing = 'lost' | 'behind' | 'at_head'

/**
 * Records the progress of lanes, of any endpoints, and gives for each where the lane stands now. A lane that ends at the
 * head loses its row; the head cannot move meanwhile.
 */
export function recordProgress(progress: Progress[]): Statement<Standing[]> {
  return over(PROGRESS, progress, {
    name: 'record-webhook-progress',
    text: `with p as materialized (select * from ${PROGRESS.as('u', { ordinality: 'nth' })}),
      e as materialized (
        select w.org_id, w.id, w.position, w.seq from webhook_endpoints w
        where (w.org_id, w.id) in (select p.org_id, p.endpoint_id from p where p.step = 'ends')
        order by w.org_id, w.id for share),
      risen as (
        delete from webhook_lanes l using p, e
        where ${SAME_LANE} and e.org_id = p.org_id and e.id = p.endpoint_id and ${AT_HEAD} returning p.nth),
      written as (
        update webhook_lanes l set position = p.position, seq = p.seq, at = p.at,
          lease_id = case when p.step = 'goes_on' then l.lease_id end,
          due_at = case when p.step <> 'goes_on' then ${AT_ONCE} + p.wait_ms * interval '1 millisecond'
            when l.due_at > now() + interval '${LEFT_MS} milliseconds' then l.due_at
            else now() + interval '${LEASE_MS} milliseconds' end,
          failures = p.failures, rejections = p.rejections,
          failing_since = case when p.failures + p.rejections > 0 then coalesce(l.failing_since, now()) end,
          held_at = case when p.step = 'held' then now() end
        from p left join e on e.org_id = p.org_id and e.id = p.endpoint_id
        where ${SAME_LANE} and not coalesce(${AT_HEAD}, false) returning p.nth)
      select nth::int, true as "isAtHead" from risen union all select nth::int, false from written`,
    read: (rows: { nth: number; isAtHead: boolean }[]) => {
      const found = new Map(rows.map(({ nth, isAtHead }) => [nth, isAtHead ? 'at_head' : 'behind'] as const))
      return progress.map((_, i) => found.get(i + 1) ?? 'lost')
    },
  })
}
