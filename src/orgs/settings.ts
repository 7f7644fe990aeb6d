import { z } from 'zod'
import type { Org, orgs } from '../db/schema/index.ts'

const days = z.int().min(1).max(36_500).nullable()
/** Meta delivers again, and reports reactions, for a month at most: what comes later than that finds no message anyway. */
const retentionDays = z.int().min(32).max(36_500).nullable()
/** Webhook endpoints are tried for three days. */
const eventDays = z.int().min(4).max(36_500).nullable()
const stopWord = z
  .string()
  .regex(/[\p{L}\p{N}]/u, 'must have a letter or a digit')
  .max(64)
const delegate = z
  .union([z.strictObject({ user_id: z.string().min(1) }), z.strictObject({ group_id: z.string().min(1) })])
  .nullable()

const fields = {
  inactivity_days: days,
  expiry_days: days,
  auto_reply_text: z.string().min(1).max(4096).nullable(),
  auto_reply_min_interval_seconds: z.int().min(0).max(86_400),
  unknown_sender: z.enum(['hold', 'create']),
  room_history_visible: z.boolean(),
  deactivate_on_opt_out: z.boolean(),
  reactions_reactivate: z.boolean(),
  auto_reply_burst: z.int().min(1).max(10_000).nullable(),
  stop_words: z.array(stopWord).max(50),
  retention_days: retentionDays,
  event_retention_days: eventDays,
  delegate,
}

/** All settings of an org, as the API replaces them. A number of days that is null switches that rule off. */
export const settingsSchema = z.strictObject({
  inactivity_days: fields.inactivity_days.default(null),
  expiry_days: fields.expiry_days.default(null),
  auto_reply_text: fields.auto_reply_text.default(null),
  auto_reply_min_interval_seconds: fields.auto_reply_min_interval_seconds.default(0),
  unknown_sender: fields.unknown_sender.default('hold'),
  room_history_visible: fields.room_history_visible.default(true),
  deactivate_on_opt_out: fields.deactivate_on_opt_out.default(false),
  reactions_reactivate: fields.reactions_reactivate.default(false),
  auto_reply_burst: fields.auto_reply_burst.default(20),
  stop_words: fields.stop_words.default([]),
  retention_days: fields.retention_days.default(null),
  event_retention_days: fields.event_retention_days.default(null),
  delegate: fields.delegate.default(null),
})
export type Settings = z.infer<typeof settingsSchema>

/** The settings that a provision file changes; it keeps those that it leaves out. */
export const settingsChangeSchema = z.strictObject(fields).partial()
export type SettingsChange = z.infer<typeof settingsChangeSchema>

/** The settings after a change; those of an org that is new (`before` is undefined) have their defaults. */
export function changedSettings(before: Settings | undefined, change: SettingsChange | undefined): Settings {
  return settingsSchema.parse({ ...before, ...change })
}

/** Converts settings to columns of `orgs`. */
export function settingsToColumns(settings: Settings) {
  const { delegate } = settings
  return {
    inactivityDays: settings.inactivity_days,
    expiryDays: settings.expiry_days,
    autoReplyText: settings.auto_reply_text,
    autoReplyMinIntervalSeconds: settings.auto_reply_min_interval_seconds,
    unknownSender: settings.unknown_sender,
    roomHistoryVisible: settings.room_history_visible,
    deactivateOnOptOut: settings.deactivate_on_opt_out,
    reactionsReactivate: settings.reactions_reactivate,
    autoReplyBurst: settings.auto_reply_burst,
    stopWords: settings.stop_words,
    retentionDays: settings.retention_days,
    eventRetentionDays: settings.event_retention_days,
    delegateUserId: delegate && 'user_id' in delegate ? delegate.user_id : null,
    delegateGroupId: delegate && 'group_id' in delegate ? delegate.group_id : null,
  } satisfies Partial<typeof orgs.$inferInsert>
}

/** Converts the columns of an org back to settings. */
export function settingsOf(org: Org): Settings {
  const { delegateUserId, delegateGroupId } = org
  return {
    inactivity_days: org.inactivityDays,
    expiry_days: org.expiryDays,
    auto_reply_text: org.autoReplyText,
    auto_reply_min_interval_seconds: org.autoReplyMinIntervalSeconds,
    unknown_sender: org.unknownSender,
    room_history_visible: org.roomHistoryVisible,
    deactivate_on_opt_out: org.deactivateOnOptOut,
    reactions_reactivate: org.reactionsReactivate,
    auto_reply_burst: org.autoReplyBurst,
    stop_words: org.stopWords,
    retention_days: org.retentionDays,
    event_retention_days: org.eventRetentionDays,
    delegate: delegateUserId
      ? { user_id: delegateUserId }
      : delegateGroupId
        ? { group_id: delegateGroupId }
        : null,
  }
}
