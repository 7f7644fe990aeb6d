import { sql } from 'drizzle-orm'
import {
  boolean,
  check,
  date,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { createdAt, exactText, id, instant, orgId } from './columns.ts'
import { contacts } from './contacts.ts'
import { users } from './users.ts'
import { wabaPhones } from './wabas.ts'

export const DEACTIVATION_REASONS = [
  'LEAD_OPTED_OUT',
  'LEAD_LIFECYCLE_THRESHOLD_EXPIRED',
  'FORCE_DEACTIVATE',
] as const

/**
 * The chatroom of a contact at a WABA phone. `state` is generated from the timestamps, so it can never contradict them.
 * `chatrooms_one_active` guarantees at most one active chatroom for a customer at a number; a trigger guarantees that
 * expired is final.
 *
 * The sweep deactivate-inactive searches by `activityDay`, a day that is never later than the last message or
 * activation. A trigger sets it on creation and activation, and the sweep moves it forward, so that a message, which only
 * changes `lastInboundAt`, changes no indexed column (a heap-only update). Triggers also copy two columns: `assignedUserId` from
 * chatroom_members, so that a user's active chatrooms are counted by an index, and `contactCreatedAt` from the contact, so
 * that routing need not read the contact.
 */
export const chatrooms = pgTable(
  'chatrooms',
  {
    orgId: orgId(),
    id: id(),
    contactId: uuid('contact_id').notNull(),
    customerId: uuid('customer_id').notNull(),
    wabaPhoneId: exactText('waba_phone_id').notNull(),
    displayName: text('display_name').notNull(),
    externalRefId: exactText('external_ref_id'),
    historyVisible: boolean('history_visible').notNull().default(true),
    state: text('state', { enum: ['active', 'deactivated', 'expired'] })
      .notNull()
      .generatedAlwaysAs(
        sql`case when expired_at is not null then 'expired' when deactivated_at is not null then 'deactivated' else 'active' end`,
      ),
    createdAt: createdAt(),
    activatedAt: instant('activated_at').notNull().defaultNow(),
    lastInboundAt: instant('last_inbound_at'),
    deactivatedAt: instant('deactivated_at'),
    deactivationReason: text('deactivation_reason', { enum: DEACTIVATION_REASONS }),
    expiredAt: instant('expired_at'),
    pendingUserId: exactText('pending_user_id'),
    assignedUserId: exactText('assigned_user_id'),
    lastAutoReplyAt: instant('last_auto_reply_at'),
    autoReplies: integer('auto_replies').notNull().default(0),
    autoRepliesSince: instant('auto_replies_since'),
    activityDay: date('activity_day').notNull().default(sql`(now() at time zone 'UTC')::date`),
    contactCreatedAt: instant('contact_created_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ name: 'chatrooms_pkey', columns: [t.orgId, t.id] }),
    unique('chatrooms_whose').on(t.orgId, t.id, t.customerId, t.wabaPhoneId),
    foreignKey({
      name: 'chatrooms_belong_to_their_contacts_customer',
      columns: [t.orgId, t.contactId, t.customerId],
      foreignColumns: [contacts.orgId, contacts.id, contacts.customerId],
    }),
    foreignKey({
      name: 'chatrooms_phone_fkey',
      columns: [t.orgId, t.wabaPhoneId],
      foreignColumns: [wabaPhones.orgId, wabaPhones.id],
    }),
    uniqueIndex('chatrooms_one_active')
      .on(t.orgId, t.customerId, t.wabaPhoneId)
      .where(sql`expired_at is null and deactivated_at is null`),
    index('chatrooms_customer').on(t.orgId, t.customerId, t.wabaPhoneId),
    index('chatrooms_to_deactivate')
      .on(t.orgId, t.activityDay, t.id)
      .where(sql`expired_at is null and deactivated_at is null`),
    index('chatrooms_assigned')
      .on(t.orgId, t.assignedUserId, t.id)
      .where(sql`assigned_user_id is not null and expired_at is null and deactivated_at is null`),
    index('chatrooms_handover').on(t.orgId, t.pendingUserId).where(sql`pending_user_id is not null`),
    index('chatrooms_contact').on(t.orgId, t.contactId, t.createdAt),
    check(
      'chatrooms_deactivation_reason_known',
      sql`${t.deactivationReason} in ('LEAD_OPTED_OUT', 'LEAD_LIFECYCLE_THRESHOLD_EXPIRED', 'FORCE_DEACTIVATE')`,
    ),
  ],
)

/** The users who see a chatroom, from `visibleFrom` on; null means its whole history. */
export const chatroomMembers = pgTable(
  'chatroom_members',
  {
    orgId: orgId(),
    chatroomId: uuid('chatroom_id').notNull(),
    userId: exactText('user_id').notNull(),
    visibleFrom: instant('visible_from'),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ name: 'chatroom_members_pkey', columns: [t.orgId, t.chatroomId, t.userId] }),
    foreignKey({
      name: 'chatroom_members_chatroom_fkey',
      columns: [t.orgId, t.chatroomId],
      foreignColumns: [chatrooms.orgId, chatrooms.id],
    }),
    foreignKey({
      name: 'chatroom_members_user_fkey',
      columns: [t.orgId, t.userId],
      foreignColumns: [users.orgId, users.id],
    }),
    index('chatroom_members_user').on(t.orgId, t.userId),
  ],
)
