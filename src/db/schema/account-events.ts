import { index, json, pgTable, primaryKey } from 'drizzle-orm/pg-core'
import { bytea, exactText, instant, orgId } from './columns.ts'

/**
 * Webhook fields that carry no messages. `digest` is the SHA-256 of WABA, time, field and value, so that a delivery that
 * Meta repeats is stored once.
 */
export const accountEvents = pgTable(
  'account_events',
  {
    orgId: orgId(),
    digest: bytea('digest').notNull(),
    wabaId: exactText('waba_id').notNull(),
    field: exactText('field').notNull(),
    receivedAt: instant('received_at').notNull(),
    payload: json('payload').notNull(),
  },
  (t) => [
    primaryKey({ name: 'account_events_pkey', columns: [t.orgId, t.digest] }),
    index('account_events_received').on(t.orgId, t.receivedAt),
  ],
)
