import type { Db } from '../../db/client.ts'
import { allRows, run } from '../../db/statement.ts'
import { firstUuidOf } from '../../rules/uuid-time.ts'

/** The changes of an org's chatrooms on one day (`2026-11-22`, UTC). */
export type DayOfOrg = { orgId: string; day: string } & DayCounts
/** `reactivated`: by a message of the customer or through the API. */
export type DayCounts = { created: number; reactivated: number; deactivated: number; expired: number }

/** The number of days shown, including today. */
export const DAYS = 14

/** Counts the created, reactivated, deactivated and expired chatrooms since a point in time, by org and day. */
export function changesByDay(db: Db, since: Date): Promise<DayOfOrg[]> {
  return run(db, {
    name: 'console-changes-by-day',
    text: `select o.id as "orgId", e.day::text as day, e.created, e.reactivated, e.deactivated, e.expired
      from orgs o
      cross join lateral (
        select (e.created_at at time zone 'UTC')::date as day,
          count(*) filter (where kind = 'chatroom.created')::int as created,
          count(*) filter (where kind in ('chatroom.reactivated', 'chatroom.activated'))::int as reactivated,
          count(*) filter (where kind = 'chatroom.deactivated')::int as deactivated,
          count(*) filter (where kind = 'chatroom.expired')::int as expired
        from events e where e.org_id = o.id and e.id >= ${firstUuidOf('$1::timestamptz')} group by day) e`,
    values: [since],
    read: allRows<DayOfOrg>,
  })
}
