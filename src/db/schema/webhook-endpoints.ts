import { sql } from 'drizzle-orm'
import { bigint, boolean, check, pgTable, primaryKey, smallint, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { bytea, createdAt, exactText, id, instant, orgId } from './columns.ts'
import { orgs } from './orgs.ts'

/** An org has so many endpoints at most: the numbers that `slot` can have. */
export const MAX_ENDPOINTS = 10

/** What becomes of the later events of a customer when an endpoint rejects one for good. */
export const ON_REJECTION = ['skip', 'wait'] as const

/**
 * The URLs to which an org has its events posted (docs/webhooks.md). `types`: null means all. The secrets are encrypted
 * with SECRETS_KEY (`src/webhook-endpoints/secret.ts`); the old one signs along until `oldSecretUntil`. `enabled` is what
 * the org wants or, with `disabledAt`, what Usher decided. `position`, `seq` and `at` are a place in the event log
 * (`src/event-log/position.ts`): events behind it are still to be posted. `failingSince`: no answer has
 * shown since that it works; `pausedUntil`: it asked for this pause.
 */
export const webhookEndpoints = pgTable(
  'webhook_endpoints',
  {
    orgId: orgId().references(() => orgs.id),
    id: id(),
    slot: smallint('slot').notNull(),
    url: text('url').notNull(),
    types: text('types').array(),
    description: text('description'),
    enabled: boolean('enabled').notNull(),
    disabledAt: instant('disabled_at'),
    disabledReason: text('disabled_reason'),
    includeContent: boolean('include_content').notNull(),
    onRejection: exactText<(typeof ON_REJECTION)[number]>('on_rejection').notNull(),
    secret: bytea('secret').notNull(),
    oldSecret: bytea('old_secret'),
    oldSecretUntil: instant('old_secret_until'),
    position: bigint('position', { mode: 'number' }).notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull().default(0),
    at: instant('at').notNull().defaultNow(),
    failingSince: instant('failing_since'),
    pausedUntil: instant('paused_until'),
    createdAt: createdAt(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ name: 'webhook_endpoints_pkey', columns: [t.orgId, t.id] }),
    uniqueIndex('webhook_endpoints_slot').on(t.orgId, t.slot),
    check('webhook_endpoints_at_most_ten', sql`${t.slot} between 1 and 10`),
    check('webhook_endpoints_on_rejection_known', sql`${t.onRejection} in ('skip', 'wait')`),
    check('webhook_endpoints_disabled_is_off', sql`not ${t.enabled} or ${t.disabledAt} is null`),
  ],
)

/** A URL that gets an org's events. */
export type WebhookEndpoint = typeof webhookEndpoints.$inferSelect
