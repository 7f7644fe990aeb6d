import { bigint, foreignKey, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { exactText, instant, orgId } from './columns.ts'
import { webhookEndpoints } from './webhook-endpoints.ts'

/**
 * The last requests to each endpoint (`src/event-push/attempt-log.ts`). `status` is null where there was no answer, and
 * `error` says why; `answer` is the beginning of its body.
 */
export const webhookAttempts = pgTable(
  'webhook_attempts',
  {
    orgId: orgId(),
    endpointId: uuid('endpoint_id').notNull(),
    id: bigint('id', { mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
    eventId: exactText('event_id').notNull(),
    type: exactText('type').notNull(),
    at: instant('at').notNull(),
    outcome: text('outcome', { enum: ['delivered', 'rejected', 'failed', 'gone'] }).notNull(),
    status: integer('status'),
    error: text('error'),
    durationMs: integer('duration_ms').notNull(),
    answer: text('answer'),
  },
  (t) => [
    primaryKey({ name: 'webhook_attempts_pkey', columns: [t.orgId, t.endpointId, t.id] }),
    foreignKey({
      name: 'webhook_attempts_endpoint_fkey',
      columns: [t.orgId, t.endpointId],
      foreignColumns: [webhookEndpoints.orgId, webhookEndpoints.id],
    }).onDelete('cascade'),
  ],
)
