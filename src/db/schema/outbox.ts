import { sql } from 'drizzle-orm'
import {
  bigint,
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
import { createdAt, exactText, id, instant, orgId } from './columns.ts'

/**
 * The messages to send, written in the transaction that decided to send them. `payload` is Meta's message object without
 * the recipient. Meta returns `id` in statuses, since it is sent as `biz_opaque_callback_data`. A row is sent at `dueAt` at
 * the earliest, and claimed (`claimedAt`) immediately before its request is sent; `dueAt` is then the end of the claim. In
 * the state `unknown` the request was sent and no answer came: the row is never sent again, and only a status webhook can
 * tell its outcome.
 *
 * `position` is the order in which rows were accepted; the customer is locked while one is written. In a pair, messages
 * are claimed before auto-replies, each kind in its order (`outbox_order`), and one at a time (`outbox_one_sending`).
 */
export const outbox = pgTable(
  'outbox',
  {
    orgId: orgId(),
    id: id(),
    kind: exactText<'auto_reply' | 'message'>('kind').notNull(),
    chatroomId: uuid('chatroom_id').notNull(),
    customerId: uuid('customer_id').notNull(),
    wabaPhoneId: exactText('waba_phone_id').notNull(),
    /** Who wanted the message; null for an auto-reply. */
    origin: exactText<'AGENT' | 'CAMPAIGN'>('origin'),
    inReplyTo: exactText('in_reply_to'),
    /** The id of the message that this one sends again, because a person asked for it. */
    retryOf: uuid('retry_of'),
    payload: json('payload').$type<Record<string, unknown>>().notNull(),
    state: exactText<'queued' | 'sending' | 'sent' | 'failed' | 'unknown'>('state')
      .notNull()
      .default('queued'),
    attempts: smallint('attempts').notNull().default(0),
    dueAt: instant('due_at').notNull().defaultNow(),
    claimedAt: instant('claimed_at'),
    wamid: exactText('wamid'),
    error: text('error'),
    createdAt: createdAt(),
    position: bigint('position', { mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
  },
  (t) => [
    primaryKey({ name: 'outbox_pkey', columns: [t.orgId, t.id] }),
    foreignKey({
      name: 'outbox_chatroom_fkey',
      columns: [t.orgId, t.chatroomId, t.customerId, t.wabaPhoneId],
      foreignColumns: [chatrooms.orgId, chatrooms.id, chatrooms.customerId, chatrooms.wabaPhoneId],
    }),
    uniqueIndex('outbox_one_auto_reply')
      .on(t.orgId, t.inReplyTo)
      .where(sql`kind = 'auto_reply' and retry_of is null`),
    index('outbox_order')
      .on(t.orgId, t.customerId, t.wabaPhoneId, t.kind.desc().nullsFirst(), t.position)
      .where(sql`state = 'queued'`),
    uniqueIndex('outbox_one_sending').on(t.orgId, t.customerId, t.wabaPhoneId).where(sql`state = 'sending'`),
    index('outbox_free_text')
      .on(t.createdAt)
      .where(sql`state = 'queued' and payload ->> 'type' <> 'template'`),
    index('outbox_pair').on(t.orgId, t.customerId, t.wabaPhoneId, t.claimedAt),
    index('outbox_unknown').on(t.orgId, t.createdAt).where(sql`state = 'unknown'`),
    index('outbox_chatroom').on(t.orgId, t.chatroomId),
    check('outbox_kind_known', sql`${t.kind} in ('auto_reply', 'message')`),
    check('outbox_state_known', sql`${t.state} in ('queued', 'sending', 'sent', 'failed', 'unknown')`),
    check('outbox_origin_known', sql`${t.origin} in ('AGENT', 'CAMPAIGN')`),
    check('outbox_auto_reply_answers', sql`${t.kind} <> 'auto_reply' or ${t.inReplyTo} is not null`),
  ],
)

/**
 * One row for each pair of a number and a customer to whom it sends. `dueAt` says when the pair is to be looked at; null:
 * nothing is queued, or a message is being sent. A trigger makes the pair due when a row of the outbox changes, whoever
 * changes it, and the claim sets the time when a pair has used up its rate. `version` counts the changes: a claim acts on
 * a pair only if nothing has changed since it read the outbox.
 */
export const outboxPairs = pgTable(
  'outbox_pairs',
  {
    orgId: orgId(),
    customerId: uuid('customer_id').notNull(),
    wabaPhoneId: exactText('waba_phone_id').notNull(),
    dueAt: instant('due_at'),
    version: bigint('version', { mode: 'number' }).notNull().default(0),
  },
  (t) => [
    primaryKey({ name: 'outbox_pairs_pkey', columns: [t.orgId, t.customerId, t.wabaPhoneId] }),
    index('outbox_pairs_due').on(t.orgId, t.wabaPhoneId, t.dueAt).where(sql`due_at is not null`),
  ],
)

/** The key of an outbox row. */
export type OutboxRow = { org: string; id: string }
