import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'

/** The state of the inbox. Counts stop at 10,000. */
export type InboxFigures = {
  oldestUnroutedSeconds: number
  oldestRetriedSeconds: number
  parked: number
  dead: number
}

/**
 * The age of the oldest delivery still to be routed, and of the oldest one whose routing failed or whose job was lost (0
 * when there is none; by the database's clock), and the numbers of parked and dead ones. However large the inbox is, at most 21,000 entries of its partial indexes are read; in a backlog
 * the age is the greatest among the thousand deliveries that have been due longest.
 */
export async function inboxFigures(db: Db): Promise<InboxFigures> {
  const { rows } = await db.execute<InboxFigures>(sql`
    select coalesce(extract(epoch from now() - oldest.unrouted), 0)::float8 as "oldestUnroutedSeconds",
           coalesce(extract(epoch from now() - oldest.retried), 0)::float8 as "oldestRetriedSeconds",
           (select count(*) from (select from inbox where state = 'parked' limit 10000) p)::int as parked,
           (select count(*) from (select from inbox where state = 'dead' limit 10000) d)::int as dead
    from (
      select min(received_at) as unrouted, min(received_at) filter (where requeues > 0) as retried
      from (select received_at, requeues from inbox where state = 'new' order by due_at limit 1000) due) oldest`)
  return rows[0] ?? { oldestUnroutedSeconds: 0, oldestRetriedSeconds: 0, parked: 0, dead: 0 }
}
