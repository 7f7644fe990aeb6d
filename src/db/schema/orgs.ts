import { sql } from 'drizzle-orm'
import { boolean, check, integer, pgTable, text } from 'drizzle-orm/pg-core'
import { createdAt, exactText, instant } from './columns.ts'

/** A tenant and its settings. A rule whose number of days is null is switched off. */
export const orgs = pgTable(
  'orgs',
  {
    id: exactText('id').primaryKey(),
    name: text('name').notNull(),
    inactivityDays: integer('inactivity_days'),
    expiryDays: integer('expiry_days'),
    autoReplyText: text('auto_reply_text'),
    autoReplyMinIntervalSeconds: integer('auto_reply_min_interval_seconds').notNull().default(0),
    unknownSender: exactText<'hold' | 'create'>('unknown_sender').notNull().default('hold'),
    roomHistoryVisible: boolean('room_history_visible').notNull().default(true),
    deactivateOnOptOut: boolean('deactivate_on_opt_out').notNull().default(false),
    reactionsReactivate: boolean('reactions_reactivate').notNull().default(false),
    autoReplyBurst: integer('auto_reply_burst').default(20),
    stopWords: text('stop_words').array().notNull().default([]),
    /** Messages are deleted after so many days; null: never. */
    retentionDays: integer('retention_days'),
    /** Events of the event log are, if the installation does not delete them earlier. */
    eventRetentionDays: integer('event_retention_days'),
    delegateUserId: exactText('delegate_user_id'),
    delegateGroupId: exactText('delegate_group_id'),
    /** The latest erasure of a person; null when its tombstones are gone. */
    erasedAt: instant('erased_at'),
    createdAt: createdAt(),
    /** Since then the org is closed, and its rows are being deleted (`src/org-deletion/close-org.ts`). */
    deletingAt: instant('deleting_at'),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [
    check('orgs_inactivity_days_positive', sql`${t.inactivityDays} > 0`),
    check('orgs_expiry_days_positive', sql`${t.expiryDays} > 0`),
    check('orgs_retention_days_positive', sql`${t.retentionDays} > 0 and ${t.eventRetentionDays} > 0`),
    check('orgs_auto_reply_interval_not_negative', sql`${t.autoReplyMinIntervalSeconds} >= 0`),
    check('orgs_auto_reply_burst_positive', sql`${t.autoReplyBurst} > 0`),
    check('orgs_unknown_sender_known', sql`${t.unknownSender} in ('hold', 'create')`),
    check('orgs_one_delegate', sql`num_nonnulls(${t.delegateUserId}, ${t.delegateGroupId}) <= 1`),
  ],
)

/** A tenant with its settings. */
export type Org = typeof orgs.$inferSelect
