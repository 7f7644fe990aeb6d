import type { Db } from '../db/client.ts'
import { allRows, rowCount, run } from '../db/statement.ts'

const PAGE = 1_000

/** SQL: transactions of this server have not reached this position, so another server has written the event. */
const UNREACHED = '(select pg_snapshot_xmax(pg_current_snapshot())::text::bigint)'

/**
 * Lets events be read that a dump has brought from another server, whose ids of transactions were higher. They become the
 * oldest ones; `seq` alone is their order, in which the events of each customer were written.
 * @returns how many there were
 */
export async function adoptRestored(db: Db): Promise<number> {
  let adopted = 0
  for (;;) {
    const orgs = await run(db, FOREIGN)
    if (orgs.length === 0) return adopted
    for (const { orgId, last } of orgs)
      adopted += await run(db, {
        text: `update event_log set position = 0 where org_id = $1 and position >= ${UNREACHED} and position <= $2`,
        values: [orgId, last],
        read: rowCount,
      })
  }
}

/** Orgs with such events, and the position of the last one of a page of them. */
const FOREIGN = {
  text: `select o.id as "orgId", e.last from orgs o cross join lateral (
      select max(position)::text as last from (
        select position from event_log where org_id = o.id and position >= ${UNREACHED}
        order by position limit ${PAGE}) p) e
    where e.last is not null`,
  values: [],
  read: allRows<{ orgId: string; last: string }>,
}
