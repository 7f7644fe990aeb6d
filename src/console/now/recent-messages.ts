import type { Db } from '../../db/client.ts'
import type { ROUTES } from '../../db/schema/index.ts'
import { run } from '../../db/statement.ts'
import { type FeedFilter, isSearch } from './feed-filter.ts'

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
  /** The chatroom that has the message now, with its contact's `crm_id` and the names of its users; null if none has. */
  room: string | null
  crmId: string | null
  users: string[]
  /** Who gets the chatroom when the customer writes next. */
  pendingUser: string | null
}

/** How many messages the feed shows. */
export const SHOWN_MESSAGES = 60

/** How many messages are looked at by a filter: of the org it names, or of each org. */
export const SEARCHED = { org: 5_000, all: 500 } as const

/** `seq` is a `bigint`, which the driver returns as text. */
type Row = Omit<RecentMessage, 'seq'> & { seq: string }

type Range = { after: number; perOrg: number }

/**
 * The latest routed messages that fit the filter and have a receive sequence above `after`, the newest first: at most
 * `perOrg` of each org and 60 in all. The index `messages_routed` gives the latest messages of an org. A filter reads
 * `SEARCHED` of them at most, because what it looks for may be rare.
 */
export function recentMessages(
  db: Db,
  filter: FeedFilter,
  { after, perOrg }: Range,
): Promise<RecentMessage[]> {
  const { orgId, orgIds, number, decision, type } = filter
  const searched = orgId === undefined ? SEARCHED.all : SEARCHED.org
  return run(db, {
    name: 'console-recent-messages',
    text: `${RECENT}
      select m.org_id as "orgId", m.wamid, m.seq, m.received_at as "receivedAt", m.type, m.route, m.reason,
        coalesce(m.wa_id, m.user_id) as sender, coalesce(p.display_phone_number, m.waba_phone_id) as number,
        r.id as room, c.crm_id as "crmId", w.name as "pendingUser",
        array(select u.name from chatroom_members x join users u on u.org_id = x.org_id and u.id = x.user_id
          where x.org_id = r.org_id and x.chatroom_id = r.id order by x.created_at, u.id) as users
      from m
      left join waba_phones p on p.org_id = m.org_id and p.id = m.waba_phone_id
      left join chatrooms r on r.org_id = m.org_id and r.id = m.chatroom_id
      left join contacts c on c.org_id = r.org_id and c.id = r.contact_id
      left join users w on w.org_id = r.org_id and w.id = r.pending_user_id
      order by m.seq desc`,
    values: [orgIds, after, isSearch(filter) ? searched : perOrg, number, decision, type, perOrg],
    read: (rows: Row[]) => rows.map((row) => ({ ...row, seq: Number(row.seq) })),
  })
}

const RECENT = `with m as (
    select m.* from orgs o
    cross join lateral (
      select * from (
        select * from messages m where m.org_id = o.id and m.route is not null and m.seq > $2
        order by m.seq desc limit $3) m
      where ($4::text is null or m.waba_phone_id = $4) and ($5::text is null or m.route = $5)
        and ($6::text is null or m.type = $6)
      order by m.seq desc limit $7) m
    where $1::text[] is null or o.id = any($1)
    order by m.seq desc limit ${SHOWN_MESSAGES})`
