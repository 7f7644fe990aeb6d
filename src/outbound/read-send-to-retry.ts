import { validate as isUuid, NIL } from 'uuid'
import { firstRow, type Statement } from '../db/statement.ts'
import { SEND_STATE_TABLES, SEND_STATUS, type SendStatus } from '../messages/send-state.ts'
import { isLaterSql } from '../rules/ledger-months.ts'
import type { Origin } from './policy.ts'

/** A message that Usher sent, with what a retry repeats. */
export type EndedSend = {
  id: string
  wamid: string
  status: SendStatus
  /** The id of the message that sends it again already. */
  retriedAs: string | null
  kind: 'auto_reply' | 'message'
  origin: Origin | null
  inReplyTo: string | null
  reason: string
  payload: { type: string }
}

/**
 * The message of a chatroom with that wamid or id (`outbox:<id>` too), if Usher sent it and its row of the outbox is still
 * there: failed ones are purged after 30 days, unknown ones never.
 */
export function readSendToRetry(
  orgId: string,
  roomId: string,
  message: string,
): Statement<EndedSend | undefined> {
  return {
    name: 'read-send-to-retry',
    text: `select o.id, m.wamid, ${SEND_STATUS} as status, r.outbox_id as "retriedAs", o.kind, o.origin,
        o.in_reply_to as "inReplyTo", m.reason, o.payload
      from (
        select * from messages where org_id = $1 and wamid = $3
        union all
        select * from messages where org_id = $1 and outbox_id = $4 limit 1) m
      ${SEND_STATE_TABLES}
      left join messages r on r.org_id = o.org_id and r.retry_of = o.id and ${isLaterSql('r', 'm.sent_at')}
      where m.chatroom_id = $2 and m.direction = 'out' and o.id is not null`,
    values: [orgId, roomId, message, idOf(message)],
    read: firstRow<EndedSend>,
  }
}

/** The id in `<id>` or `outbox:<id>`; of anything else, an id that no message has. */
function idOf(message: string): string {
  const id = message.replace(/^outbox:/, '')
  return isUuid(id) ? id : NIL
}
