import type { BulkFilter } from '../db/schema/index.ts'
import { firstRow, rowCount, type Statement } from '../db/statement.ts'
import type { RunKey } from './start-run.ts'

/** A run that is not ended, as its process finds it. */
export type OpenRun = {
  kind: 'replay' | 'retry' | 'delete'
  orgId: string | null
  filter: BulkFilter
  actor: string
  place: (string | number)[] | null
  lastId: string
  startedAt: Date
}

/** Shows that the process of a run is at work, and locks the run; undefined when it was ended or taken over. */
export function beat({ id, runner }: RunKey): Statement<OpenRun | undefined> {
  return {
    name: 'beat-bulk-run',
    text: `update bulk_runs set beat_at = now() where id = $1 and runner = $2 and ended_at is null
      returning kind, org_id as "orgId", filter, actor, place, last_id as "lastId", created_at as "startedAt"`,
    values: [id, runner],
    read: firstRow<OpenRun>,
  }
}

type Progress = {
  /** How many rows were changed since. */
  done: number
  refused?: string | undefined
  /** Where the run stands now. */
  place: (string | number)[] | null
  isLast: boolean
}

/** Writes how far a run has come; 0 when it was ended or taken over. */
export function noteProgress(
  { id, runner }: RunKey,
  { done, refused, place, isLast }: Progress,
): Statement<number> {
  return {
    name: 'note-bulk-run',
    text: `update bulk_runs set beat_at = now(), done = done + $3, place = coalesce($4::json, place),
        refused = case when $5::text is null then refused
          else (refused::jsonb || jsonb_build_object($5::text, coalesce((refused ->> $5)::int, 0) + 1))::json end,
        ended_at = case when $6::boolean then now() end, outcome = case when $6 then 'finished' end
      where id = $1 and runner = $2 and ended_at is null`,
    values: [id, runner, done, place && JSON.stringify(place), refused, isLast],
    read: rowCount,
  }
}
