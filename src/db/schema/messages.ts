import { sql } from 'drizzle-orm'
import { bigint, check, foreignKey, index, json, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { chatrooms } from './chatrooms.ts'
import { exactText, instant, orgId } from './columns.ts'

export const ROUTES = ['active', 'reactivated', 'expired', 'held', 'created'] as const
export const MESSAGE_STATUSES = ['sent', 'delivered', 'read', 'played', 'failed'] as const

/**
 * The ledger of messages, partitioned by the UTC month of `sentAt` (docs/ledger.md). Keys are of each partition, because those
 * of the whole table would need `sentAt` in them: the primary key (org, wamid) makes sure that each message is stored once, and
 * `outboxId` and `retryOf` are unique (`make_month_of_messages` in `drizzle/0024_ledger_by_month.sql`). `payload` and `contact` (the
 * sender's entry of `contacts[]`) are exactly what Meta sent; their type is `json`, because `jsonb` refuses \u0000 and
 * unpaired surrogates. `seq` orders messages that have the same timestamp of Meta, which counts whole seconds
 * (`src/rules/ledger-order.ts`). `route` is null for a message that took no part in routing; `reason` then says why.
 * `outboxId` is the id of a message that Usher sends: it stays when Meta gives the message its wamid, and when the row of the
 * outbox is purged. `retryOf` is the id of the message that this one sends again; a message is sent again once at most.
 */
export const messages = pgTable(
  'messages',
  {
    orgId: orgId(),
    wamid: exactText('wamid').notNull(),
    wabaPhoneId: exactText('waba_phone_id').notNull(),
    customerId: uuid('customer_id'),
    chatroomId: uuid('chatroom_id'),
    direction: exactText<'in' | 'out' | 'echo'>('direction').notNull(),
    type: exactText('type').notNull(),
    sentAt: instant('sent_at').notNull(),
    receivedAt: instant('received_at').notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    route: exactText<(typeof ROUTES)[number]>('route'),
    reason: text('reason').notNull(),
    candidates: json('candidates').$type<MessageCandidate[]>(),
    waId: exactText('wa_id'),
    userId: exactText('user_id'),
    status: exactText<(typeof MESSAGE_STATUSES)[number]>('status'),
    statusAt: instant('status_at'),
    errors: json('errors').$type<unknown[]>(),
    payload: json('payload').$type<Record<string, unknown>>().notNull(),
    contact: json('contact').$type<Record<string, unknown>>(),
    outboxId: uuid('outbox_id'),
    retryOf: uuid('retry_of'),
  },
  (t) => [
    foreignKey({
      name: 'messages_land_with_their_own_sender_and_number',
      columns: [t.orgId, t.chatroomId, t.customerId, t.wabaPhoneId],
      foreignColumns: [chatrooms.orgId, chatrooms.id, chatrooms.customerId, chatrooms.wabaPhoneId],
    }),
    index('messages_chatroom').on(t.orgId, t.chatroomId, t.sentAt, t.seq),
    // Held messages, groups and imports are in no chatroom, and an org may have millions of them.
    index('messages_in_no_room').on(t.orgId, t.wabaPhoneId, t.customerId).where(sql`chatroom_id is null`),
    index('messages_held')
      .on(t.orgId, t.sentAt, t.seq, t.wamid)
      .where(sql`route = 'held' and chatroom_id is null`),
    index('messages_failed').on(t.orgId, t.sentAt).where(sql`status = 'failed'`),
    index('messages_routed').on(t.orgId, t.seq).where(sql`route is not null`),
    check('messages_direction_known', sql`${t.direction} in ('in', 'out', 'echo')`),
    check('messages_route_known', sql`${t.route} in ('active', 'reactivated', 'expired', 'held', 'created')`),
  ],
)

/** A chatroom that routing considered. `since` is when it entered its state. */
export type MessageCandidate = {
  chatroom_id: string
  contact_id: string
  state: 'active' | 'deactivated' | 'expired'
  since: string
}
