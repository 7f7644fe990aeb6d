import type { Db } from '../../db/client.ts'

/** Deliveries stored and deliveries routed since the database began to count; `at` is the database's clock. */
export type InboxTraffic = { at: Date; stored: number; routed: number }

/**
 * What PostgreSQL itself counts: every delivery is one row put into `inbox`, and routed is its row deleted. So it
 * holds for all processes together, and costs nothing; a backend adds its share at most a second late.
 */
export async function inboxTraffic(db: Db): Promise<InboxTraffic> {
  const { rows } = await db.$client.query<{ at: Date; stored: string; routed: string }>({
    name: 'console-inbox-traffic',
    text: `select clock_timestamp() as at, pg_stat_get_tuples_inserted('inbox'::regclass) as stored,
        pg_stat_get_tuples_deleted('inbox'::regclass) as routed`,
  })
  const [row] = rows
  return { at: row?.at ?? new Date(0), stored: Number(row?.stored), routed: Number(row?.routed) }
}
