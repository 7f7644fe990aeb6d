import type { Db } from '../../db/client.ts'
import { columns, uuid } from '../../db/columns.ts'
import type { ROUTES } from '../../db/schema/index.ts'
import { allRows, run } from '../../db/statement.ts'
import { SEND_STATE_TABLES, SEND_STATUS } from '../../messages/send-state.ts'
import { sendIdSql } from '../../rules/provisional-wamid.ts'

/** A message from or to a customer. `payload` is null unless message text was asked for. */
export type TimelineMessage = {
  wamid: string
  direction: 'in' | 'out' | 'echo'
  type: string
  at: Date
  route: (typeof ROUTES)[number] | null
  reason: string
  chatroomId: string | null
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
  /** The message that caused it: its wamid, or the id of a message that Usher sends. */
  wamid: string | null
  at: Date
}

export type TimelineQuery = { orgId: string; customerId: string; roomIds: string[] }

const MAX_MESSAGES = 100
const MAX_EVENTS = 200

const ROOMS = columns<string>({ id: uuid((id) => id) })

/** The latest 100 messages of each of these chatrooms, and the latest 100 that are held for the customer. Unordered. */
export function timelineMessages(
  db: Db,
  { orgId, customerId, roomIds }: TimelineQuery,
  withText: boolean,
): Promise<TimelineMessage[]> {
  return run(db, {
    name: 'console-timeline-messages',
    text: `with m as (
        select m.* from ${ROOMS.as('r')}
        cross join lateral (
          select * from messages m where m.org_id = $2 and m.chatroom_id = r.id
          order by m.sent_at desc, m.seq desc limit ${MAX_MESSAGES}) m
        union all (
          select * from messages m
          where m.org_id = $2 and m.customer_id = $3 and m.route = 'held' and m.chatroom_id is null
            and m.waba_phone_id = any(array(select id from waba_phones where org_id = $2))
          order by m.sent_at desc limit ${MAX_MESSAGES}))
      select m.wamid, m.direction, m.type, m.sent_at as at, m.route, m.reason, m.chatroom_id as "chatroomId",
        ${SEND_STATUS} as status, ${sendIdSql('m')} as id,
        (select true from messages x
          where x.org_id = m.org_id and x.retry_of = m.outbox_id limit 1) is not null as "isRetried",
        case when $4 then m.payload end as payload
      from m ${SEND_STATE_TABLES}`,
    values: [...ROOMS.values(roomIds), orgId, customerId, withText],
    read: allRows<TimelineMessage>,
  })
}

/** The latest 200 events of the customer and of each of these chatrooms, each once, the newest first. */
export function timelineEvents(
  db: Db,
  { orgId, customerId, roomIds }: TimelineQuery,
): Promise<TimelineEvent[]> {
  return run(db, {
    name: 'console-timeline-events',
    text: `with e as (
        (select * from events e where e.org_id = $2 and e.customer_id = $3 order by e.id desc limit ${MAX_EVENTS})
        union all
        select e.* from ${ROOMS.as('r')}
        cross join lateral (
          select * from events e where e.org_id = $2 and e.chatroom_id = r.id order by e.id desc limit ${MAX_EVENTS}) e)
      select distinct on (id) id, kind, actor, reason, chatroom_id as "chatroomId",
        case when kind in ('message.queued', 'message.retried') then after ->> 'id' else wamid end as wamid,
        case when kind ~ '\\.(deactivated|reactivated|expired)$'
          then coalesce((after ->> 'at')::timestamptz, created_at) else created_at end as at
      from e order by id desc`,
    values: [...ROOMS.values(roomIds), orgId, customerId],
    read: allRows<TimelineEvent>,
  })
}
