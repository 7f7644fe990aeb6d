import { sql } from 'drizzle-orm'
import {
  check,
  foreignKey,
  index,
  json,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { chatrooms } from './chatrooms.ts'
import { createdAt, id, instant, orgId } from './columns.ts'

/**
 * The messages to send, written in the transaction that decided to send them. `payload` is Meta's message object without
 * the recipient. Meta returns `id` in statuses, since it is sent as `biz_opaque_callback_data`. A row is sent at `dueAt` at
 * the earliest, and claimed (`claimedAt`) immediately before its request is sent. In the state `unknown` the request was
 * sent and no answer came: the row is never sent again, and only a status webhook can tell its outcome.
 */
export const outbox = pgTable(
  'outbox',
  {
    orgId: orgId(),
    id: id(),
    kind: text('kind', { enum: ['auto_reply', 'message'] }).notNull(),
    chatroomId: uuid('chatroom_id').notNull(),
    customerId: uuid('customer_id').notNull(),
    wabaPhoneId: text('waba_phone_id').notNull(),
    inReplyTo: text('in_reply_to'),
    payload: json('payload').$type<Record<string, unknown>>().notNull(),
    state: text('state', { enum: ['queued', 'sending', 'sent', 'failed', 'unknown'] })
      .notNull()
      .default('queued'),
    attempts: smallint('attempts').notNull().default(0),
    dueAt: instant('due_at').notNull().defaultNow(),
    claimedAt: instant('claimed_at'),
    wamid: text('wamid'),
    error: text('error'),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ name: 'outbox_pkey', columns: [t.orgId, t.id] }),
    foreignKey({
      name: 'outbox_chatroom_fkey',
      columns: [t.orgId, t.chatroomId, t.customerId, t.wabaPhoneId],
      foreignColumns: [chatrooms.orgId, chatrooms.id, chatrooms.customerId, chatrooms.wabaPhoneId],
    }),
    uniqueIndex('outbox_one_auto_reply').on(t.orgId, t.inReplyTo).where(sql`kind = 'auto_reply'`),
    index('outbox_due').on(t.dueAt).where(sql`state in ('queued', 'sending')`),
    index('outbox_pair').on(t.orgId, t.customerId, t.wabaPhoneId, t.claimedAt),
    index('outbox_chatroom').on(t.orgId, t.chatroomId),
    check('outbox_kind_known', sql`${t.kind} in ('auto_reply', 'message')`),
    check('outbox_state_known', sql`${t.state} in ('queued', 'sending', 'sent', 'failed', 'unknown')`),
    check('outbox_auto_reply_answers', sql`${t.kind} <> 'auto_reply' or ${t.inReplyTo} is not null`),
  ],
)

/** The key of an outbox row, which is also the data of a job in the queue `outbound`. */
export type OutboxRow = { org: string; id: string }
