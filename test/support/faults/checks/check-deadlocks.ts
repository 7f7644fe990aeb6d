import { eventually } from '../../patience.ts'
import type { Evidence } from './evidence.ts'
import type { Report } from './report.ts'

/** Ends the other connections, since each reports its deadlocks when it ends, or up to 10 s later while it is idle. */
const END_OTHERS = `
  select pid, pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and application_name like 'usher%'`

/**
 * Checks that PostgreSQL has resolved no deadlock in this database since its last crash, which resets the count. It ends
 * Usher's connections, so it is the last check. `describeLast` tells which statements waited for each other in the last
 * deadlocks of the server, so many of them.
 */
export async function checkDeadlocks(
  { db }: Pick<Evidence, 'db'>,
  report: Report,
  describeLast: (count: number) => Promise<string[]>,
): Promise<void> {
  const { rows: ended } = await db.$client.query<{ pid: number }>(END_OTHERS)
  const pids = ended.map(({ pid }) => pid)
  const left = 'select from pg_stat_activity where pid = any($1)'
  await eventually(async () => (await db.$client.query(left, [pids])).rows.length === 0)
  const { rows } = await db.$client.query<{ deadlocks: number }>(
    'select deadlocks::int from pg_stat_database where datname = current_database()',
  )
  const count = rows[0]?.deadlocks ?? 0
  const described = await describeLast(count)
  for (let n = 0; n < count; n += 1) report.add('noDeadlock', described[n] ?? 'not in the log of PostgreSQL')
}
