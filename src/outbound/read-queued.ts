import type { OutboxRow } from '../db/schema/index.ts'
import { firstRow, type Statement } from '../db/statement.ts'
import { MESSAGE_COLUMNS, type MessageRow } from '../messages/message-page.ts'
import { SEND_STATE_TABLES } from '../messages/send-state.ts'

/** A message that was queued, as the ledger shows it. */
export function readQueued({ org, id }: OutboxRow): Statement<MessageRow> {
  return {
    name: 'read-queued-message',
    text: `select ${MESSAGE_COLUMNS} from messages m ${SEND_STATE_TABLES} where m.org_id = $1 and m.outbox_id = $2`,
    values: [org, id],
    read(rows: MessageRow[]) {
      const message = firstRow(rows)
      if (!message) throw new Error('a queued message is not in the ledger')
      return message
    },
  }
}
