import type { Db } from '../db/client.ts'
import { allRows, firstRow, run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { MESSAGE_COLUMNS, type MessageRow, NEWEST, type Page, toMessageList } from './message-page.ts'

type Request = Page & {
  orgId: string
  chatroomId: string
  /** The user who reads, and sees only the messages that the membership allows; undefined: the reader sees all. */
  viewer: string | undefined
}

/**
 * A page of a chatroom's messages, newest first. A viewer must be one of its users, and sees the messages since
 * `visible_from` of the membership, by Meta's time.
 * @throws ApiError CHATROOM_NOT_FOUND, FORBIDDEN
 */
export async function listMessages(db: Db, { orgId, chatroomId, viewer, before, limit }: Request) {
  const visibleFrom = await readVisibility(db, orgId, chatroomId, viewer)
  const { sentAt, seq, wamid } = before ?? NEWEST
  const rows = await run(db, {
    name: 'list-messages',
    text: `select ${MESSAGE_COLUMNS} from messages
      where org_id = $1 and chatroom_id = $2 and sent_at >= $3
        and (sent_at, seq, wamid) < ($4::timestamptz, $5::bigint, $6::text)
      order by sent_at desc, seq desc, wamid desc limit $7`,
    values: [orgId, chatroomId, visibleFrom ?? '-infinity', sentAt, seq, wamid, limit + 1],
    read: allRows<MessageRow>,
  })
  return toMessageList(rows, limit)
}

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
