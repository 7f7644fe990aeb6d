import type { Db } from '../db/client.ts'
import { rowCount, run, type Statement } from '../db/statement.ts'
import { adoptRestored } from './adopt-restored.ts'

const PAGE = 1_000
const DAY_MS = 86_400_000

/**
 * Makes the partitions of the next seven days, and drops those of the days that ended more than `keptDays` ago. Events of
 * days that had no partition are in the default partition, and are deleted there. Events that a dump brought from another
 * server become readable.
 * @throws Error of PostgreSQL when it did not get its locks within a second; the next run tries again
 */
export async function keepPartitions(
  db: Db,
  now: Date,
  keptDays: number,
): Promise<{ made: number; dropped: number; deleted: number; adopted: number }> {
  const oldest = new Date(Math.floor(now.getTime() / DAY_MS - keptDays) * DAY_MS)
  const made = await run(db, change('make_event_partitions', now))
  const deleted = await deleteOthers(db, oldest)
  const adopted = await adoptRestored(db)
  return { made, deleted, adopted, dropped: await run(db, change('drop_event_partitions', oldest)) }
}

/** Runs a function of the schema. The role of the workers may not change tables, and the functions are of the owner. */
function change(name: 'make_event_partitions' | 'drop_event_partitions', at: Date): Statement<number> {
  return {
    text: `select ${name}($1) as count`,
    values: [at],
    read: ([row]: { count: number }[]) => row?.count ?? 0,
  }
}

/** The start of the oldest day that the log of an org has; undefined where no day has a partition. */
export function readOldestDay(orgId: string): Statement<Date | undefined> {
  return {
    name: 'read-oldest-event-day',
    text: `select greatest(
        min(to_date(right(c.relname, 8), 'YYYYMMDD'))::timestamp at time zone 'UTC',
        (select date_trunc('day', now() at time zone 'UTC' - make_interval(days => event_retention_days)) at time zone 'UTC'
          from orgs where id = $1)) as day
      from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'event_log'::regclass and c.relname ~ '^event_log_[0-9]{8}$'`,
    values: [orgId],
    read: ([row]: { day: Date | null }[]) => row?.day ?? undefined,
  }
}

async function deleteOthers(db: Db, before: Date): Promise<number> {
  let deleted = 0
  for (let rows = PAGE; rows === PAGE; deleted += rows) {
    rows = await run(db, {
      text: `delete from event_log_default where ctid = any(array(
        select ctid from event_log_default where at < $1 limit ${PAGE} for update skip locked))`,
      values: [before],
      read: rowCount,
    })
  }
  return deleted
}
