import type { Db } from '../../db/client.ts'
import { run } from '../../db/statement.ts'

/** Deliveries stored and routed since PostgreSQL's statistics were last reset; `at` is the database's clock. */
export type InboxTraffic = { at: Date; stored: number; routed: number }

/**
 * Reads the traffic of all processes from PostgreSQL's own statistics: a stored delivery is a row inserted into `inbox`,
 * a routed one is a row deleted. This costs nothing extra. A backend reports its share up to a second late.
 */
export function inboxTraffic(db: Db): Promise<InboxTraffic> {
  return run(db, {
    name: 'console-inbox-traffic',
    text: `select clock_timestamp() as at, pg_stat_get_tuples_inserted('inbox'::regclass) as stored,
        pg_stat_get_tuples_deleted('inbox'::regclass) as routed`,
    values: [],
    read: ([row]: { at: Date; stored: string; routed: string }[]) => ({
      at: row?.at ?? new Date(0),
      stored: Number(row?.stored),
      routed: Number(row?.routed),
    }),
  })
}
