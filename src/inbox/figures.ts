import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'

/** The state of the inbox. Counts stop at 10,000. */
export type InboxFigures = { oldestUnroutedSeconds: number; parked: number; dead: number }

/**
 * The age of the oldest delivery still to be routed (0 when there is none; by the database's clock), and the numbers of
 * parked and dead ones. However large the inbox is, at most 21,000 entries of its partial indexes are read; in a backlog
 * the age is the greatest among the thousand deliveries that have been due longest.
 */
export async function inboxFigures(db: Db): Promise<InboxFigures> {
  const { rows } = await db.execute<InboxFigures>(sql`
    select coalesce(extract(epoch from now() - (
             select min(received_at)
             from (select received_at from inbox where state = 'new' order by due_at limit 1000) due
           )), 0)::float8 as "oldestUnroutedSeconds",
           (select count(*) from (select from inbox where state = 'parked' limit 10000) p)::int as parked,
           (select count(*) from (select from inbox where state = 'dead' limit 10000) d)::int as dead`)
  return rows[0] ?? { oldestUnroutedSeconds: 0, parked: 0, dead: 0 }
}
