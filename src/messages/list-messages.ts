import type { Db } from '../db/client.ts'
import { ApiError } from '../errors.ts'
import { MESSAGE_COLUMNS, type MessageRow, NEWEST, type Page, toMessageList } from './message-page.ts'

type Request = Page & {
  orgId: string
  chatroomId: string
  /** The user who reads and sees only his share; undefined: one who sees all. */
  viewer: string | undefined
}

/**
 * A page of a chatroom's messages, newest first. A viewer must be one of its users, and sees what Meta dates no
 * earlier than his membership allows (DESIGN section 4: chatroom_members).
 * @throws ApiError CHATROOM_NOT_FOUND, FORBIDDEN
 */
export async function listMessages(db: Db, { orgId, chatroomId, viewer, before, limit }: Request) {
  const visibleFrom = await readVisibility(db, orgId, chatroomId, viewer)
  const { sentAt, seq, wamid } = before ?? NEWEST
  const { rows } = await db.$client.query<MessageRow>({
    name: 'list-messages',
    text: `select ${MESSAGE_COLUMNS} from messages
      where org_id = $1 and chatroom_id = $2 and sent_at >= $3
        and (sent_at, seq, wamid) < ($4::timestamptz, $5::bigint, $6::text)
      order by sent_at desc, seq desc, wamid desc limit $7`,
    values: [orgId, chatroomId, visibleFrom ?? '-infinity', sentAt, seq, wamid, limit + 1],
  })
  return toMessageList(rows, limit)
}

async function readVisibility(
  db: Db,
  orgId: string,
  chatroomId: string,
  viewer: string | undefined,
): Promise<Date | null> {
  const { rows } = await db.$client.query<{ is_member: boolean; visible_from: Date | null }>({
    name: 'read-visibility',
    text: `select m.user_id is not null as is_member, m.visible_from
      from chatrooms r
      left join chatroom_members m on m.org_id = r.org_id and m.chatroom_id = r.id and m.user_id = $3
      where r.org_id = $1 and r.id = $2`,
    values: [orgId, chatroomId, viewer],
  })
  const [room] = rows
  if (!room) throw new ApiError('CHATROOM_NOT_FOUND')
  if (viewer !== undefined && !room.is_member) {
    throw new ApiError('FORBIDDEN', 'Only its users, admins and partners read the messages of a chatroom.')
  }
  return room.visible_from
}
