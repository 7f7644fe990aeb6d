import type { Db } from '../../db/client.ts'

/** Changes of chatrooms in one org on one day (`2026-11-22`, UTC). */
export type DayOfOrg = { orgId: string; day: string } & DayCounts
export type DayCounts = { created: number; woken: number; deactivated: number; expired: number }

/** Days that are looked back on, today included. */
export const DAYS = 14

/** The id of an event, a UUIDv7, starts with its time: the primary key finds where the days begin. */
const FIRST_ID = `(lpad(to_hex(floor(extract(epoch from $1::timestamptz) * 1000)::bigint), 12, '0')
  || '70008000000000000000')::uuid`

/** How many chatrooms were made, woken, put to sleep and expired, by org and day, since that moment. */
export async function changesByDay(db: Db, since: Date): Promise<DayOfOrg[]> {
  const { rows } = await db.$client.query<DayOfOrg>({
    name: 'console-changes-by-day',
    text: `select o.id as "orgId", e.day::text as day, e.created, e.woken, e.deactivated, e.expired
      from orgs o
      cross join lateral (
        select (e.created_at at time zone 'UTC')::date as day,
          count(*) filter (where kind = 'chatroom.created')::int as created,
          count(*) filter (where kind in ('chatroom.reactivated', 'chatroom.activated'))::int as woken,
          count(*) filter (where kind = 'chatroom.deactivated')::int as deactivated,
          count(*) filter (where kind = 'chatroom.expired')::int as expired
        from events e where e.org_id = o.id and e.id >= ${FIRST_ID} group by day) e`,
    values: [since],
  })
  return rows
}
