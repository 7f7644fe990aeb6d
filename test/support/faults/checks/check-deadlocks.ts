import { eventually } from '../../patience.ts'
import type { Evidence } from './evidence.ts'
import type { Report } from './report.ts'

/** Ends the other connections, since each reports its deadlocks when it ends, or up to 10 s later while it is idle. */
const END_OTHERS = `
  select pid, pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and application_name like 'usher%'`

/**
 * BullMQ renews the locks of a worker's jobs, and looks for jobs that stalled, each in one statement that changes many rows in
 * no order of its own. Two of them may end in a deadlock while several jobs take longer than a second, as in an outage,
 * which does no harm (docs/reliability.md#what-holds).
 */
const OF_BULLMQ = /^-- (Refresh multiple active-job locks|Two-phase stalled-job recovery)/

/** True if both statements of a deadlock are those of BullMQ that are known to meet. */
export function isOfBullmq(deadlock: string): boolean {
  const statements = deadlock.split(/Process \d+: /).slice(1)
  return statements.length > 0 && statements.every((statement) => OF_BULLMQ.test(statement))
}

/**
 * Checks that PostgreSQL has resolved no deadlock in this database since its last crash, which resets the count, but for
 * deadlocks between statements of BullMQ. It ends Usher's connections, so it is the last check. `describeLast` gives, for
 * so many of the server's last deadlocks, the statements that waited for each other.
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
  for (let n = 0; n < count; n += 1) {
    const deadlock = described[n] ?? 'not in the log of PostgreSQL'
    if (!isOfBullmq(deadlock)) report.add('noDeadlock', deadlock)
  }
}
