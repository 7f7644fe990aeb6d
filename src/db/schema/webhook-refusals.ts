import { sql } from 'drizzle-orm'
import { bigint, check, pgTable } from 'drizzle-orm/pg-core'
import { exactText, instant } from './columns.ts'

/**
 * Webhook requests that proved no secret, for the console: how many since `since`, and when the last ones were reported.
 * The table has no org, because such a request is read no further than its signature or its verify token.
 */
export const webhookRefusals = pgTable(
  'webhook_refusals',
  {
    reason: exactText<'signature' | 'handshake'>('reason').primaryKey(),
    refused: bigint('refused', { mode: 'number' }).notNull(),
    since: instant('since').notNull().defaultNow(),
    lastAt: instant('last_at').notNull().defaultNow(),
  },
  (t) => [check('webhook_refusals_reason_known', sql`${t.reason} in ('signature', 'handshake')`)],
)
