import { jsonArray, textArray, timestamptzArray, uuidArray } from '../db/arrays.ts'
import type { Db } from '../db/client.ts'
import type { StatusUpdate } from '../webhook/items.ts'

type Update = StatusUpdate & { orgId: string }

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Moves our messages' statuses forward, never back (facts: Meta sends them late and in any order). Statuses of
 * messages that are not ours, and words Meta added since, change nothing.
 */
export async function applyStatuses(tx: Db, updates: Update[]): Promise<void> {
  if (updates.length === 0) return
  await settleSends(
    tx,
    updates.filter((u) => u.callback && UUID.test(u.callback)),
  )
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
      textArray(updates.map((u) => u.orgId)),
      textArray(updates.map((u) => u.wamid)),
      textArray(updates.map((u) => u.status)),
      timestamptzArray(updates.map((u) => u.at)),
      jsonArray(updates.map((u) => u.errors)),
    ],
  })
}

/** A status that names our outbox row settles a send whose answer never came, and tells the message's real id. */
async function settleSends(tx: Db, updates: Update[]): Promise<void> {
  if (updates.length === 0) return
  await tx.$client.query({
    name: 'settle-sends-by-status',
    text: `with s as (
        select distinct on (org_id, id) * from unnest($1::text[], $2::uuid[], $3::text[], $4::text[])
          as s(org_id, id, wamid, status)
        order by org_id, id, status = 'failed'),
      settled as (
        update outbox o set wamid = s.wamid, state = case when s.status = 'failed' then 'failed' else 'sent' end
        from s where o.org_id = s.org_id and o.id = s.id and o.state in ('sending', 'unknown'))
      update messages m set wamid = s.wamid, errors = null
      from s where m.org_id = s.org_id and m.wamid = 'outbox:' || s.id`,
    values: [
      textArray(updates.map((u) => u.orgId)),
      uuidArray(updates.map((u) => u.callback)),
      textArray(updates.map((u) => u.wamid)),
      textArray(updates.map((u) => u.status)),
    ],
  })
}
