import { recordEvents } from '../audit/record-events.ts'
import { updateHeardRooms, updateRooms } from '../chatrooms/update-rooms.ts'
import { bigintArray, jsonArray, textArray, timestamptzArray, uuidArray } from '../db/arrays.ts'
import { type Db, together } from '../db/client.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import { queueMessages } from '../outbound/queue-messages.ts'
import { since } from '../rules/room.ts'
import type { Arrival, CreatedRoom, Handover, Plan, PlannedMessage, Reply } from './plan.ts'

/**
 * Writes what a batch decided, but for its new chatrooms, which must be there (`createRooms`): one statement a table,
 * whatever the size of the batch, and none for what is empty; all in one round trip, and one more for the audit.
 * @returns the ids of the replies queued, for the sender to be woken after the commit.
 */
export async function applyPlan(tx: Db, plan: Plan, actor = 'routing'): Promise<OutboxRow[]> {
  const [expiries, replies] = await together([
    plan.rooms.length > 0 ? updateRooms(tx, plan.rooms, actor) : [],
    plan.replies.length > 0 ? queueReplies(tx, plan.replies) : [],
    plan.heard.length > 0 && updateHeardRooms(tx, plan.heard),
    plan.messages.length > 0 && insertMessages(tx, plan.messages),
    plan.unmasked.length > 0 && unmaskGhosts(tx, plan.unmasked),
    plan.handovers.length > 0 && handOver(tx, plan.handovers),
  ])
  await recordEvents(tx, [
    ...plan.events,
    ...expiries,
    ...plan.created.map(creationEvent),
    ...plan.handovers.map(handoverEvent),
  ])
  return replies
}

/** No `on conflict`: a wamid that another batch stored meanwhile undoes this batch, whose retry then sees it. */
async function insertMessages(tx: Db, messages: PlannedMessage[]): Promise<void> {
  await tx.$client.query({
    name: 'insert-messages',
    text: `insert into messages (org_id, wamid, waba_phone_id, customer_id, chatroom_id, direction, type, sent_at,
        received_at, seq, route, reason, candidates, wa_id, user_id, payload, contact)
      select org_id, wamid, phone_id, customer_id, chatroom_id, direction, type, sent_at, received_at, seq, route, reason,
        candidates, wa_id, user_id, payload, contact
      from unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::timestamptz[],
        $8::timestamptz[], $9::bigint[], $10::text[], $11::text[], $12::json[], $13::text[], $14::text[],
        $15::json[], $16::json[], $17::text[])
        as m(org_id, wamid, phone_id, customer_id, chatroom_id, type, sent_at, received_at, seq, route, reason,
          candidates, wa_id, user_id, payload, contact, direction)`,
    values: [
      textArray(messages.map((m) => m.orgId)),
      textArray(messages.map((m) => m.message.wamid)),
      textArray(messages.map((m) => m.message.phoneId)),
      uuidArray(messages.map((m) => m.customerId)),
      uuidArray(messages.map((m) => m.roomId)),
      textArray(messages.map((m) => m.message.type)),
      timestamptzArray(messages.map((m) => m.message.sentAt)),
      timestamptzArray(messages.map((m) => m.message.receivedAt)),
      bigintArray(messages.map((m) => m.message.seq)),
      textArray(messages.map((m) => m.route)),
      textArray(messages.map((m) => m.reason)),
      jsonArray(messages.map((m) => JSON.stringify(m.candidates.map(candidate)))),
      textArray(messages.map((m) => m.message.sender.waId)),
      textArray(messages.map((m) => m.message.sender.userId)),
      jsonArray(messages.map((m) => m.message.payload)),
      jsonArray(messages.map((m) => m.message.contact)),
      textArray(messages.map((m) => m.message.direction)),
    ],
  })
}

function candidate(room: PlannedMessage['candidates'][number]) {
  return { chatroom_id: room.id, contact_id: room.contactId, state: room.state, since: since(room) }
}

/** The ghost was routed; the real content takes its place in the same row. Never the reverse. */
async function unmaskGhosts(tx: Db, arrivals: Arrival[]): Promise<void> {
  await tx.$client.query({
    name: 'unmask-ghosts',
    text: `update messages m set type = u.type, payload = u.payload, contact = coalesce(u.contact, m.contact)
      from unnest($1::text[], $2::text[], $3::text[], $4::json[], $5::json[])
        as u(org_id, wamid, type, payload, contact)
      where m.org_id = u.org_id and m.wamid = u.wamid and m.direction = 'in'
        and m.type in ('unsupported', 'unknown')`,
    values: [
      arrivals.map((a) => a.orgId),
      arrivals.map((a) => a.message.wamid),
      arrivals.map((a) => a.message.type),
      arrivals.map((a) => a.message.payload),
      arrivals.map((a) => a.message.contact ?? null),
    ],
  })
}

/** The assignment that waited for the customer's word takes effect: the new user in, who sees that word; others out. */
async function handOver(tx: Db, handovers: Handover[]): Promise<void> {
  await tx.$client.query({
    name: 'hand-over',
    text: `with h as (select * from unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[])
        as h(org_id, room_id, user_id, at)),
      revoked as (
        delete from chatroom_members m using h
        where m.org_id = h.org_id and m.chatroom_id = h.room_id and m.user_id <> h.user_id)
      insert into chatroom_members (org_id, chatroom_id, user_id, visible_from)
      select h.org_id, h.room_id, h.user_id, case when r.history_visible then null else h.at end
      from h join chatrooms r on r.org_id = h.org_id and r.id = h.room_id
      on conflict do nothing`,
    values: [
      handovers.map((h) => h.orgId),
      handovers.map((h) => h.roomId),
      handovers.map((h) => h.userId),
      handovers.map((h) => h.at),
    ],
  })
}

async function queueReplies(tx: Db, replies: Reply[]): Promise<OutboxRow[]> {
  const messages = replies.map(({ text, inReplyTo, ...reply }) => ({
    ...reply,
    kind: 'auto_reply' as const,
    inReplyTo,
    reason: `auto-reply to ${inReplyTo}`,
    payload: { type: 'text', text: { body: text } },
  }))
  return queueMessages(tx, messages)
}

function creationEvent({ orgId, customerId, room, message }: CreatedRoom) {
  const { id: chatroomId, contactId } = room
  return {
    orgId,
    kind: 'chatroom.created',
    actor: 'routing',
    reason: 'an unknown customer wrote',
    customerId,
    contactId,
    chatroomId,
    wamid: message.wamid,
    after: { state: 'active' },
  }
}

function handoverEvent({ orgId, roomId, userId }: Handover) {
  return {
    orgId,
    kind: 'chatroom.handed_over',
    actor: 'routing',
    reason: 'the customer wrote',
    chatroomId: roomId,
    after: { user_id: userId },
  }
}
