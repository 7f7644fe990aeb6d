import type { Db } from '../db/client.ts'
import { allRows, run } from '../db/statement.ts'
import { MESSAGE_COLUMNS, type MessageRow, NEWEST, type Page, toMessageList } from './message-page.ts'
import { SEND_STATE_TABLES } from './send-state.ts'

/**
 * A page of the messages that wait for a chatroom of their customer at their number, newest first.
 */
export async function heldMessages(db: Db, { orgId, before, limit }: Page & { orgId: string }) {
  const { sentAt, seq, wamid } = before ?? NEWEST
  const rows = await run(db, {
    name: 'held-messages',
    text: `select ${MESSAGE_COLUMNS} from (
      select * from messages where org_id = $1 and route = 'held' and chatroom_id is null
        and sent_at <= $2 and (sent_at, seq, wamid) < ($2::timestamptz, $3::bigint, $4::text)
      order by sent_at desc, seq desc, wamid desc limit $5) m ${SEND_STATE_TABLES}
      order by m.sent_at desc, m.seq desc, m.wamid desc`,
    values: [orgId, sentAt, seq, wamid, limit + 1],
    read: allRows<MessageRow>,
  })
  return toMessageList(rows, limit)
}
