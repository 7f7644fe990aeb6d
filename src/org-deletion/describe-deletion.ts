import type { Db } from '../db/client.ts'
import { firstRow, run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'

type Deletion = {
  state: 'running' | 'finished'
  actor: string
  createdAt: Date
  beatAt: Date
  endedAt: Date | null
  done: number
  place: [number, number] | null
}

/**
 * The deletion of an org: the latest one of this id, which is known for 30 days after its end.
 * @throws ApiError NOT_FOUND when nobody has asked for one
 */
export async function describeDeletion(db: Db, orgId: string) {
  const found = await run(db, {
    text: `select coalesce(outcome, 'running') as state, actor, created_at as "createdAt", beat_at as "beatAt",
        ended_at as "endedAt", done, place
      from bulk_runs where kind = 'delete' and org_id = $1 order by created_at desc limit 1`,
    values: [orgId],
    read: firstRow<Deletion>,
  })
  if (!found) throw new ApiError('NOT_FOUND', 'Nobody has asked for the deletion of this org.')
  const [tables_done = 0, tables = null] = found.place ?? []
  return {
    ...{ org_id: orgId, state: found.state, requested_by: found.actor },
    ...{ requested_at: found.createdAt.toISOString(), last_step_at: found.beatAt.toISOString() },
    finished_at: found.endedAt?.toISOString() ?? null,
    ...{ rows_deleted: found.done, tables_done, tables },
  }
}
