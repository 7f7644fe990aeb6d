import { v7 as uuidv7 } from 'uuid'
import { columns, json, text, uuid } from '../db/columns.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import { allRows, over, type Statement } from '../db/statement.ts'
import { NEXT_SEQ } from '../rules/ledger-order.ts'
import { provisionalWamidSql } from '../rules/provisional-wamid.ts'
import type { Origin } from './policy.ts'

/** A message to send; `payload` is Meta's message without address: `{ type, text | template }`. */
export type Outgoing = {
  orgId: string
  kind: 'auto_reply' | 'message'
  roomId: string
  customerId: string
  phoneId: string
  /** Who wants the message; null for an auto-reply. */
  origin: Origin | null
  inReplyTo: string | null
  reason: string
  payload: { type: string }
  /** The id of the message that this one sends again. */
  retryOf?: string
}

const MESSAGES = columns<Outgoing>({
  org_id: text((m) => m.orgId),
  id: uuid(() => uuidv7()),
  kind: text((m) => m.kind),
  room_id: uuid((m) => m.roomId),
  customer_id: uuid((m) => m.customerId),
  phone_id: text((m) => m.phoneId),
  origin: text((m) => m.origin),
  in_reply_to: text((m) => m.inReplyTo),
  payload: json((m) => JSON.stringify(m.payload)),
  type: text((m) => m.payload.type),
  reason: text((m) => m.reason),
  retry_of: uuid((m) => m.retryOf),
})

/**
 * Writes messages into outbox and ledger, in the transaction that decided them, whose customers are locked: of one
 * customer, the order of the rows is the order in which messages were accepted. A unique index allows one auto-reply to a
 * message. The customers of these chatrooms wait no more. The senders are woken after the commit.
 */
export function queueMessages(messages: Outgoing[]): Statement<OutboxRow[]> {
  return over(MESSAGES, messages, {
    name: 'queue-messages',
    text: `with m as (select * from ${MESSAGES.as('m', { ordinality: 'place' })}),
      queued as (
        insert into outbox (org_id, id, kind, chatroom_id, customer_id, waba_phone_id, origin, in_reply_to, payload, retry_of)
        select org_id, id, kind, room_id, customer_id, phone_id, origin, in_reply_to, payload, retry_of from m order by place
        on conflict do nothing returning org_id, id, chatroom_id),
      answered as (
        delete from waiting_chatrooms w using queued q where w.org_id = q.org_id and w.chatroom_id = q.chatroom_id)
      insert into messages (org_id, wamid, waba_phone_id, customer_id, chatroom_id, direction, type, sent_at,
        received_at, seq, reason, payload, outbox_id, retry_of)
      select m.org_id, ${provisionalWamidSql('m.id')}, m.phone_id, m.customer_id, m.room_id, 'out', m.type, now(), now(),
        ${NEXT_SEQ}, m.reason, m.payload, m.id, m.retry_of
      from queued join m on m.org_id = queued.org_id and m.id = queued.id
      returning org_id as org, outbox_id as id`,
    read: allRows<OutboxRow>,
  })
}
