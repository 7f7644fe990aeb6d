import type { Db } from '../../db/client.ts'
import { allRows, run } from '../../db/statement.ts'

/** How many customers wait for an answer of a user, or of nobody (null), and since when the first one does. */
export type Waits = { userId: string | null; waiting: number; oldest: Date }

/** The page reads at most this many waiting customers of an org, those with the longest waits. */
export const MAX_WAITS = 5_000

/** Who has the customers of an org that wait for an answer. */
export function readWaits(db: Db, orgId: string): Promise<Waits[]> {
  return run(db, {
    name: 'console-waits',
    text: `select r.assigned_user_id as "userId", count(*)::int as waiting, min(w.since) as oldest
      from (
        select chatroom_id, since from waiting_chatrooms where org_id = $1
        order by since, chatroom_id limit ${MAX_WAITS}) w
      join chatrooms r on r.org_id = $1 and r.id = w.chatroom_id and r.state = 'active'
      group by r.assigned_user_id`,
    values: [orgId],
    read: allRows<Waits>,
  })
}

/** Counts of an org in the list of orgs end here, because a page may list 1,000 orgs. */
export const MAX_OF_ORG = 1_000

/** How many customers of an org wait, at most `MAX_OF_ORG` + 1, and since when the first one does. */
export type OrgWaits = { orgId: string; waiting: number; oldest: Date | null }

/** The customers who wait, of these orgs. */
export function readWaitsOfOrgs(db: Db, orgIds: string[]): Promise<OrgWaits[]> {
  return run(db, {
    name: 'console-waits-of-orgs',
    text: `select o.id as "orgId", w.waiting, w.oldest
      from unnest($1::text[]) as o(id)
      cross join lateral (
        select count(*)::int as waiting, min(since) as oldest from (
          select since from waiting_chatrooms where org_id = o.id
          order by since, chatroom_id limit ${MAX_OF_ORG + 1}) w) w`,
    values: [orgIds],
    read: allRows<OrgWaits>,
  })
}
