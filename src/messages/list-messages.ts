import type { Db } from '../db/client.ts'
import { allRows, firstRow, run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { MESSAGE_COLUMNS, type MessageRow, NEWEST, type Page, toMessageList } from './message-page.ts'
import { SEND_STATE_TABLES, SEND_STATUS, type SendStatus } from './send-state.ts'

type Request = Page & {
  orgId: string
  chatroomId: string
  /** The user who reads, and sees only the messages that the membership allows; undefined: the reader sees all. */
  viewer: string | undefined
  /** Only messages that Usher sent and that have this status. */
  status?: SendStatus | undefined
}

/**
 * A page of a chatroom's messages, newest first. A viewer must be one of its users, and sees the messages since
 * `visible_from` of the membership, by Meta's time.
 * @throws ApiError CHATROOM_NOT_FOUND, FORBIDDEN
 */
export async function listMessages(db: Db, { orgId, chatroomId, viewer, before, limit, status }: Request) {
  const visibleFrom = await readVisibility(db, orgId, chatroomId, viewer)
  const { sentAt, seq, wamid } = before ?? NEWEST
  const values = [orgId, chatroomId, visibleFrom ?? '-infinity', sentAt, seq, wamid, limit + 1]
  const read = allRows<MessageRow>
  const rows = await run(
    db,
    status === undefined
      ? { name: 'list-messages', text: ALL, values, read }
      : { name: 'list-messages-of-status', text: OF_STATUS, values: [...values, status], read },
  )
  return toMessageList(rows, limit)
}

const PAGE = `m.org_id = $1 and m.chatroom_id = $2 and m.sent_at >= $3 and m.sent_at <= $4
  and (m.sent_at, m.seq, m.wamid) < ($4::timestamptz, $5::bigint, $6::text)`
const NEWEST_FIRST = 'order by m.sent_at desc, m.seq desc, m.wamid desc'

const ALL = `select ${MESSAGE_COLUMNS} from (select * from messages m where ${PAGE} ${NEWEST_FIRST} limit $7) m
  ${SEND_STATE_TABLES} ${NEWEST_FIRST}`

const OF_STATUS = `select ${MESSAGE_COLUMNS} from messages m ${SEND_STATE_TABLES}
  where ${PAGE} and m.direction = 'out' and ${SEND_STATUS} = $8 ${NEWEST_FIRST} limit $7`

async function readVisibility(
  db: Db,
  orgId: string,
  chatroomId: string,
  viewer: string | undefined,
): Promise<Date | null> {
  const room = await run(db, {
    name: 'read-visibility',
    text: `select m.user_id is not null as "isMember", m.visible_from as "visibleFrom"
      from chatrooms r
      left join chatroom_members m on m.org_id = r.org_id and m.chatroom_id = r.id and m.user_id = $3
      where r.org_id = $1 and r.id = $2`,
    values: [orgId, chatroomId, viewer],
    read: firstRow<{ isMember: boolean; visibleFrom: Date | null }>,
  })
  if (!room) throw new ApiError('CHATROOM_NOT_FOUND')
  if (viewer !== undefined && !room.isMember) {
    throw new ApiError('FORBIDDEN', 'Only users of the chatroom, admins and partners may read its messages.')
  }
  return room.visibleFrom
}
