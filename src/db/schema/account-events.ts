import { index, json, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { bytea, instant, orgId } from './columns.ts'

/** Webhook fields that are not messages. `digest` = SHA-256 of WABA, time, field and value: a redelivery is one row. */
export const accountEvents = pgTable(
  'account_events',
  {
    orgId: orgId(),
    digest: bytea('digest').notNull(),
    wabaId: text('waba_id').notNull(),
    field: text('field').notNull(),
    receivedAt: instant('received_at').notNull(),
    payload: json('payload').notNull(),
  },
  (t) => [
    primaryKey({ name: 'account_events_pkey', columns: [t.orgId, t.digest] }),
    index('account_events_received').on(t.orgId, t.receivedAt),
  ],
)
