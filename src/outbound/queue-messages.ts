import { v7 as uuidv7 } from 'uuid'
import type { Db } from '../db/client.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import { NEXT_SEQ } from '../rules/ledger-order.ts'
import { outboxIdSql, provisionalWamidSql } from '../rules/provisional-wamid.ts'

/** A message to send; `payload` is Meta's message without address: `{ type, text | template }`. */
export type Outgoing = {
  orgId: string
  kind: 'auto_reply' | 'message'
  roomId: string
  customerId: string
  phoneId: string
  inReplyTo: string | null
  reason: string
  payload: { type: string }
}

/**
 * Writes messages into outbox and ledger, in the transaction that decided them; a customer's message is
 * auto-replied to once (unique index). Tell the queue of the rows after the commit.
 */
export async function queueMessages(tx: Db, messages: Outgoing[]): Promise<OutboxRow[]> {
  const { rows } = await tx.$client.query<OutboxRow>({
    name: 'queue-messages',
    text: `with m as (
        select * from unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::text[],
          $8::json[], $9::text[], $10::text[])
          as m(org_id, id, kind, room_id, customer_id, phone_id, in_reply_to, payload, type, reason)),
      queued as (
        insert into outbox (org_id, id, kind, chatroom_id, customer_id, waba_phone_id, in_reply_to, payload)
        select org_id, id, kind, room_id, customer_id, phone_id, in_reply_to, payload from m
        on conflict do nothing returning org_id, id)
      insert into messages (org_id, wamid, waba_phone_id, customer_id, chatroom_id, direction, type, sent_at,
        received_at, seq, reason, payload)
      select m.org_id, ${provisionalWamidSql('m.id')}, m.phone_id, m.customer_id, m.room_id, 'out', m.type, now(), now(),
        ${NEXT_SEQ}, m.reason, m.payload
      from queued join m on m.org_id = queued.org_id and m.id = queued.id
      returning org_id as org, ${outboxIdSql('wamid')} as id`,
    values: [
      messages.map((m) => m.orgId),
      messages.map(() => uuidv7()),
      messages.map((m) => m.kind),
      messages.map((m) => m.roomId),
      messages.map((m) => m.customerId),
      messages.map((m) => m.phoneId),
      messages.map((m) => m.inReplyTo),
      messages.map((m) => JSON.stringify(m.payload)),
      messages.map((m) => m.payload.type),
      messages.map((m) => m.reason),
    ],
  })
  return rows
}
