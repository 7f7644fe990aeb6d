import { z } from 'zod'
import type { Db } from '../../db/client.ts'
import type { ROUTES } from '../../db/schema/index.ts'
import { allRows, run } from '../../db/statement.ts'
import { SEND_STATE_TABLES, SEND_STATUS } from '../../messages/send-state.ts'
import { isLaterSql } from '../../rules/ledger-months.ts'
import { sendIdSql } from '../../rules/provisional-wamid.ts'
import { eventsSql, messageKeysSql, ROOMS } from './timeline-sql.ts'

/** A message from or to a customer. `payload` is null unless message text was asked for. */
export type TimelineMessage = {
  wamid: string
  direction: 'in' | 'out' | 'echo'
  type: string
  at: Date
  seq: string
  route: (typeof ROUTES)[number] | null
  reason: string
  chatroomId: string | null
  /** The `crm_id` of the chatroom's contact. */
  crmId: string | null
  /** What became of a message that Usher sends; null for any other. */
  status: string | null
  /** The id of a message that Usher sends, which stays when Meta gives it a wamid. */
  id: string | null
  /** It was sent again, as another message. */
  isRetried: boolean
  payload: Record<string, unknown> | null
}

/** A change of state with its actor and its reason. */
export type TimelineEvent = {
  id: string
  kind: string
  actor: string
  reason: string | null
  chatroomId: string | null
  /** The `crm_id` of the chatroom's contact. */
  crmId: string | null
  /** The message that caused it: its wamid, or the id of a message that Usher sends. */
  wamid: string | null
  at: Date
}

/**
 * A place in the timeline: the time of the last message shown, in milliseconds, and its sequence, and the id of the last
 * event shown. Messages and events have an order of their own each.
 */
export const timelinePlace = z.tuple([z.int().min(0), z.string().regex(/^-?\d{1,18}$/), z.guid()])
export type TimelinePlace = z.infer<typeof timelinePlace>

export type TimelineQuery = {
  orgId: string
  customerId: string
  /** Only the entries of this chatroom. */
  room: string | undefined
  before: TimelinePlace | undefined
  limit: number
}

const NEWEST_EVENT = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** The customer's messages behind a place, the newest first. */
export function timelineMessages(
  db: Db,
  { orgId, customerId, room, before, limit }: TimelineQuery,
  withText: boolean,
): Promise<TimelineMessage[]> {
  const place = before ? [new Date(before[0]), before[1]] : ['infinity', '0']
  return run(db, {
    name: 'console-timeline-messages',
    text: `with ${ROOMS}, ${messageKeysSql('$6')}
      select m.wamid, m.direction, m.type, m.sent_at as at, m.seq, m.route, m.reason, m.chatroom_id as "chatroomId",
        c.crm_id as "crmId", ${SEND_STATUS} as status, ${sendIdSql('m')} as id,
        (select true from messages x
          where x.org_id = m.org_id and x.retry_of = m.outbox_id
            and ${isLaterSql('x', 'm.sent_at')} limit 1) is not null as "isRetried",
        case when $7 then m.payload end as payload
      from keys join messages m on m.org_id = $1 and m.wamid = keys.wamid and m.sent_at = keys.sent_at
      ${SEND_STATE_TABLES}
      left join chatrooms r on r.org_id = m.org_id and r.id = m.chatroom_id
      left join contacts c on c.org_id = r.org_id and c.id = r.contact_id
      order by m.sent_at desc, m.seq desc`,
    values: [orgId, customerId, room, ...place, limit, withText],
    read: allRows<TimelineMessage>,
  })
}

/** The customer's events behind a place, in the order of their ids, the newest first. */
export function timelineEvents(
  db: Db,
  { orgId, customerId, room, before, limit }: TimelineQuery,
): Promise<TimelineEvent[]> {
  return run(db, {
    name: 'console-timeline-events',
    text: `with ${ROOMS}, ${eventsSql('$5')}
      select e.id, e.kind, e.actor, e.reason, e.chatroom_id as "chatroomId", c.crm_id as "crmId",
        case when e.kind in ('message.queued', 'message.retried') then e.after ->> 'id' else e.wamid end as wamid,
        case when e.kind ~ '\\.(deactivated|reactivated|expired)$'
          then coalesce((e.after ->> 'at')::timestamptz, e.created_at) else e.created_at end as at
      from (select distinct on (id) * from e order by id desc limit $5) e
      left join chatrooms r on r.org_id = $1 and r.id = e.chatroom_id
      left join contacts c on c.org_id = r.org_id and c.id = r.contact_id
      order by e.id desc`,
    values: [orgId, customerId, room, before?.[2] ?? NEWEST_EVENT, limit],
    read: allRows<TimelineEvent>,
  })
}
