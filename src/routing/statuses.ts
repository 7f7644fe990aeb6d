import type { Db } from '../db/client.ts'
import type { StatusUpdate } from '../webhook/extract.ts'

/**
 * Moves our messages' statuses forward, never back (facts: Meta sends them late and in any order). Statuses of
 * messages that are not ours, and words Meta added since, change nothing.
 */
export async function applyStatuses(tx: Db, updates: (StatusUpdate & { orgId: string })[]): Promise<void> {
  if (updates.length === 0) return
  await tx.$client.query({
    name: 'apply-statuses',
    text: `with ranks(status, rank) as (values ('sent', 1), ('delivered', 2), ('read', 3), ('played', 4), ('failed', 5)),
      newest as (
        select distinct on (u.org_id, u.wamid) u.*, ranks.rank
        from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::json[])
          as u(org_id, wamid, status, at, errors)
        join ranks on ranks.status = u.status
        order by u.org_id, u.wamid, ranks.rank desc)
      update messages m set status = n.status, status_at = n.at, errors = coalesce(n.errors, m.errors)
      from newest n
      where m.org_id = n.org_id and m.wamid = n.wamid and m.direction = 'out'
        and n.rank > coalesce((select rank from ranks where ranks.status = m.status), 0)`,
    values: [
      updates.map((u) => u.orgId),
      updates.map((u) => u.wamid),
      updates.map((u) => u.status),
      updates.map((u) => u.at),
      updates.map((u) => u.errors ?? null),
    ],
  })
}
