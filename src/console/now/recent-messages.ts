import type { Db } from '../../db/client.ts'
import type { ROUTES } from '../../db/schema/index.ts'
import { run } from '../../db/statement.ts'

/** A routed message, without its text. */
export type RecentMessage = {
  orgId: string
  wamid: string
  seq: number
  receivedAt: Date
  type: string
  route: (typeof ROUTES)[number]
  reason: string
  /** The sender's `wa_id`, or BSUID where there is none. */
  sender: string | null
  /** The display phone number of the WABA phone. */
  number: string
}

/** How many messages the feed shows. */
export const SHOWN_MESSAGES = 60

/** `seq` is a `bigint`, which the driver returns as text. */
type Row = Omit<RecentMessage, 'seq'> & { seq: string }

/**
 * The latest routed messages with a receive sequence above `after`, the newest first: at most `perOrg` of each org and
 * `limit` in all. The index `messages_routed` gives them, so it reads no other rows.
 */
export function recentMessages(
  db: Db,
  {
    orgId,
    after,
    perOrg,
    limit,
  }: { orgId?: string | undefined; after: number; perOrg: number; limit: number },
): Promise<RecentMessage[]> {
  return run(db, {
    name: 'console-recent-messages',
    text: `select m.org_id as "orgId", m.wamid, m.seq, m.received_at as "receivedAt", m.type, m.route, m.reason,
        coalesce(m.wa_id, m.user_id) as sender, coalesce(p.display_phone_number, m.waba_phone_id) as number
      from orgs o
      cross join lateral (
        select * from messages m where m.org_id = o.id and m.route is not null and m.seq > $2
        order by m.seq desc limit $3) m
      left join waba_phones p on p.org_id = m.org_id and p.id = m.waba_phone_id
      where $1::text is null or o.id = $1
      order by m.seq desc limit $4`,
    values: [orgId, after, perOrg, limit],
    read: (rows: Row[]) => rows.map((row) => ({ ...row, seq: Number(row.seq) })),
  })
}

/** The messages that the feed begins with: the latest 60 of an org, or of all. */
export function latestMessages(db: Db, orgId: string | undefined): Promise<RecentMessage[]> {
  return recentMessages(db, { orgId, after: 0, perOrg: SHOWN_MESSAGES, limit: SHOWN_MESSAGES })
}
