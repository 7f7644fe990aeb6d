import type { Db } from '../../db/client.ts'
import { allRows, run, type Statement } from '../../db/statement.ts'
import { firstUuidOf } from '../../rules/uuid-time.ts'

/** Of the last 24 hours: messages of customers into the chatrooms that a user has now, and messages the user sent. */
export type Load = {
  received: Map<string | null, number>
  sent: Map<string | null, number>
  /** The org has more messages or changes than are looked at, so the counts are too low. */
  isPartial: boolean
}

/** So many messages and audit rows are looked at, the newest ones. */
const MAX_SCANNED = 5_000

type Counted = { userId: string | null; count: number }

/** The load of an org's users in the 24 hours before `now`. */
export async function readLoad(db: Db, orgId: string, now: Date): Promise<Load> {
  const since = new Date(now.getTime() - 86_400_000)
  const [received, sent] = await Promise.all([
    run(db, countReceived(orgId, since)),
    run(db, countSent(orgId, since)),
  ])
  const scanned = (rows: Counted[]) => rows.reduce((sum, { count }) => sum + count, 0)
  return {
    received: byUser(received),
    sent: byUser(sent),
    isPartial: [received, sent].some((rows) => scanned(rows) >= MAX_SCANNED),
  }
}

function byUser(rows: Counted[]): Map<string | null, number> {
  return new Map(rows.map(({ userId, count }) => [userId, count]))
}

function countReceived(orgId: string, since: Date): Statement<Counted[]> {
  return {
    name: 'console-received',
    text: `select r.assigned_user_id as "userId", count(*)::int as count
      from (
        select chatroom_id, received_at from messages where org_id = $1 and route is not null
        order by seq desc limit ${MAX_SCANNED}) m
      left join chatrooms r on r.org_id = $1 and r.id = m.chatroom_id
      where m.received_at >= $2 group by r.assigned_user_id`,
    values: [orgId, since],
    read: allRows<Counted>,
  }
}

/** Each message that a user sends has an audit row. Rows of other kinds count for the limit, under no user. */
function countSent(orgId: string, since: Date): Statement<Counted[]> {
  return {
    name: 'console-sent',
    text: `select case when kind = 'message.queued' and actor like 'user:%' then split_part(substr(actor, 6), ' as ', 1) end
        as "userId", count(*)::int as count
      from (
        select kind, actor from events where org_id = $1 and id >= ${firstUuidOf('$2::timestamptz')}
        order by id desc limit ${MAX_SCANNED}) e
      group by 1`,
    values: [orgId, since],
    read: allRows<Counted>,
  }
}
