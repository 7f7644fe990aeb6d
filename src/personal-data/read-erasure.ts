import type { Db } from '../db/client.ts'
import { firstRow, run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import type { ErasureKey } from './erasure-row.ts'

type Row = { id: string; requestedAt: Date; finishedAt: Date | null; messages: number }

/**
 * How far an erasure is.
 * @throws ApiError ERASURE_NOT_FOUND
 */
export async function readErasure(db: Db, { orgId, id }: ErasureKey) {
  const row = await run(db, {
    name: 'read-erasure',
    text: `select id, requested_at as "requestedAt", finished_at as "finishedAt", messages from erasures
      where org_id = $1 and id = $2`,
    values: [orgId, id],
    read: firstRow<Row>,
  })
  if (!row) throw new ApiError('ERASURE_NOT_FOUND')
  return {
    id: row.id,
    state: row.finishedAt ? ('finished' as const) : ('running' as const),
    requested_at: row.requestedAt.toISOString(),
    finished_at: row.finishedAt?.toISOString() ?? null,
    messages: row.messages,
  }
}
