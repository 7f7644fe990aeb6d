import type pg from 'pg'
import type { Db } from '../../src/db/client.ts'

/** The texts of the statements that wait for a lock in this database. */
export async function waitingQueries(db: Db | pg.Pool): Promise<string[]> {
  const { rows } = await ('$client' in db ? db.$client : db).query<{ query: string }>(
    `select query from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  )
  return rows.map(({ query }) => query)
}
