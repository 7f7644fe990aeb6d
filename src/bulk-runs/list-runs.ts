import type { Db } from '../db/client.ts'
import type { BulkFilter } from '../db/schema/index.ts'
import { allRows, run } from '../db/statement.ts'
import { STALLED_S } from './stalled.ts'

/** A run as people see it. `stalled`: no process works on it, and nothing is lost by going on with it. */
export type RunState = 'running' | 'stalled' | 'finished' | 'stopped'
export type ListedRun = {
  id: string
  orgId: string | null
  filter: BulkFilter
  actor: string
  /** How many rows fitted at the start; null where that was not counted to the end. */
  total: number | null
  done: number
  refused: Record<string, number>
  /** Of a replay: the id of the delivery at which it stands. */
  place: [number] | null
  startedAt: Date
  state: RunState
}

const SHOWN = 3

/** The latest three runs of a kind that began within a day or are not ended: of these orgs, or replays, which have none. */
export function listRuns(db: Db, kind: 'replay' | 'retry', orgIds: string[]): Promise<ListedRun[]> {
  return run(db, {
    name: 'list-bulk-runs',
    text: `select id, org_id as "orgId", filter, actor, total, done, refused, place, created_at as "startedAt",
        case when outcome is not null then outcome
          when beat_at < now() - interval '${STALLED_S} seconds' then 'stalled' else 'running' end as state
      from bulk_runs where kind = $1 and (org_id is null or org_id = any($2::text[]))
        and (ended_at is null or created_at > now() - interval '1 day')
      order by created_at desc limit ${SHOWN}`,
    values: [kind, orgIds],
    read: allRows<ListedRun>,
  })
}
