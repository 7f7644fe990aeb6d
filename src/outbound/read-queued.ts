import type { OutboxRow } from '../db/schema/index.ts'
import { firstRow, type Statement } from '../db/statement.ts'
import { MESSAGE_COLUMNS, type MessageRow } from '../messages/message-page.ts'
import { SEND_STATE_TABLES } from '../messages/send-state.ts'

const among = (times: string) =>
  `(select * from messages where org_id = $1 and outbox_id = $2 and ${times} limit 1)`
const YESTERDAY = `now() - interval '1 day'`

/** A message that was queued, as the ledger shows it. Mostly it was queued just now, and older months are not looked at. */
export function readQueued({ org, id }: OutboxRow): Statement<MessageRow> {
  return {
    name: 'read-queued-message',
    text: `select ${MESSAGE_COLUMNS} from (
        select * from (${among(`sent_at > ${YESTERDAY}`)} union all ${among(`sent_at <= ${YESTERDAY}`)}) found limit 1) m
      ${SEND_STATE_TABLES}`,
    values: [org, id],
    read(rows: MessageRow[]) {
      const message = firstRow(rows)
      if (!message) throw new Error('a queued message is not in the ledger')
      return message
    },
  }
}
