import { v7 as uuidv7 } from 'uuid'
import type { Db } from '../db/client.ts'
import type { BulkFilter } from '../db/schema/index.ts'
import { firstRow, rowCount, run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { STALLED_S } from './stalled.ts'

/** A run, and the process that works on it now. */
export type RunKey = { id: string; runner: string }

type Wanted = {
  kind: 'replay' | 'retry' | 'delete'
  /** A replay has none. */
  orgId: string | undefined
  filter: BulkFilter
  actor: string
  /** How many rows fit; null if nobody knows. */
  total: number | null
}

/**
 * Writes a run that has just begun, and deletes those that ended 30 days ago. There is one open run of a kind in an org.
 * @throws ApiError UQ_CONSTRAINT_FAILED if one is open already
 */
export async function startRun(db: Db, { kind, orgId, filter, actor, total }: Wanted): Promise<RunKey> {
  const key = { id: uuidv7(), runner: uuidv7() }
  const rows = await run(db, {
    name: 'start-bulk-run',
    text: `with old as (delete from bulk_runs where ended_at < now() - interval '30 days')
      insert into bulk_runs (id, runner, kind, org_id, filter, actor, total, last_id)
      values ($1, $2, $3, $4, $5, $6, $7, coalesce((select max(id) from inbox where state = 'dead'), 0))
      on conflict do nothing`,
    values: [key.id, key.runner, kind, orgId, JSON.stringify(filter), actor, total],
    read: rowCount,
  })
  if (rows === 1) return key
  throw new ApiError('UQ_CONSTRAINT_FAILED', 'Another run is not finished: wait for it, or end it.')
}

type RunOfOrg = { kind: 'replay' | 'retry'; orgId: string | null }

/** Makes this process the one that works on a replay or a retry that stands still; undefined if it does not, or has ended. */
export function takeOverRun(db: Db, id: string): Promise<(RunKey & RunOfOrg) | undefined> {
  return run(db, {
    name: 'take-over-bulk-run',
    text: `update bulk_runs set runner = $2, beat_at = now()
      where id = $1 and kind <> 'delete' and ended_at is null and beat_at < now() - interval '${STALLED_S} seconds'
      returning id, runner, kind, org_id as "orgId"`,
    values: [id, uuidv7()],
    read: firstRow<RunKey & RunOfOrg>,
  })
}

/** Ends a replay or a retry; its process notices before its next batch. Undefined if it had ended. */
export function endRun(db: Db, id: string): Promise<RunOfOrg | undefined> {
  return run(db, {
    name: 'end-bulk-run',
    text: `update bulk_runs set ended_at = now(), outcome = 'stopped' where id = $1 and kind <> 'delete' and ended_at is null
      returning kind, org_id as "orgId"`,
    values: [id],
    read: firstRow<RunOfOrg>,
  })
}
