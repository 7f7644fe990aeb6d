import type { Db } from '../db/client.ts'
import { allRows, type Statement, send } from '../db/statement.ts'
import { inTransaction } from '../db/transaction.ts'
import { HORIZON } from '../event-log/position.ts'

/** The kinds of partitions of the log: of today (UTC), of the days before and after it, and the one for all other days. */
export const PARTITIONS = ['today', 'before', 'after', 'default'] as const
type Size = { partition: (typeof PARTITIONS)[number]; bytes: number }

/**
 * How long ago the oldest event was written that can not be read yet, because a transaction is open that began before it
 * (0: there is none; from an hour on it says an hour); and the size of the log, with its indexes, by kind of partition.
 */
export type LogFigures = { unreadableSeconds: number; sizes: Size[] }

/** Reads the figures of the event log; it looks at two entries of the index for each org. */
export async function readLogFigures(db: Db): Promise<LogFigures> {
  return inTransaction(db, async (tx) => {
    const [unreadableSeconds, sizes] = await send(tx, [READ_AGE, READ_SIZES])
    return { unreadableSeconds, sizes }
  })
}

const READ_AGE: Statement<number> = {
  name: 'read-event-log-age',
  text: `select coalesce(extract(epoch from clock_timestamp() - min(l.at)), 0)::float8 as age
    from orgs o cross join lateral (
      select e.at from event_log e
      where e.org_id = o.id and e.position >= ${HORIZON}
        and e.at > now() - interval '1 hour' and e.at < now() + interval '1 hour'
      order by e.position, e.seq limit 1) l`,
  values: [],
  read: ([row]: { age: number }[]) => row?.age ?? 0,
}

const READ_SIZES: Statement<Size[]> = {
  name: 'read-event-log-sizes',
  text: `select case when day !~ '^[0-9]{8}$' then 'default' when day = today then 'today' when day < today then 'before'
      else 'after' end as partition, coalesce(sum(bytes), 0)::float8 as bytes
    from (
      select right(c.relname, 8) as day, to_char(now() at time zone 'UTC', 'YYYYMMDD') as today,
        pg_total_relation_size(c.oid) as bytes
      from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'event_log'::regclass) of
    group by 1`,
  values: [],
  read: allRows<Size>,
}
