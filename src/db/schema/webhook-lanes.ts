import { sql } from 'drizzle-orm'
import {
  bigint,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  smallint,
  text,
  uuid,
} from 'drizzle-orm/pg-core'
import { exactText, instant, orgId } from './columns.ts'
import { webhookEndpoints } from './webhook-endpoints.ts'

/**
 * The lanes of an endpoint that are not at its head (`src/event-push/plan-lanes.ts`). `position`, `seq` and `at` are the
 * place up to which the lane's events were delivered. With `leaseId` a worker posts them, until `dueAt` at the latest;
 * without, the lane is due then. `failures`, `rejections` and `failingSince` are about the lane's next event. With `heldAt`
 * the lane waits until the org changes or enables the endpoint. The lane of a replay has no head, and ends at `endsAt`.
 */
export const webhookLanes = pgTable(
  'webhook_lanes',
  {
    orgId: orgId(),
    endpointId: uuid('endpoint_id').notNull(),
    lane: smallint('lane').notNull(),
    position: bigint('position', { mode: 'number' }).notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    at: instant('at').notNull(),
    dueAt: instant('due_at').notNull(),
    leaseId: uuid('lease_id'),
    failures: integer('failures').notNull().default(0),
    rejections: integer('rejections').notNull().default(0),
    failingSince: instant('failing_since'),
    heldAt: instant('held_at'),
    endsAt: instant('ends_at'),
  },
  (t) => [
    primaryKey({ name: 'webhook_lanes_pkey', columns: [t.orgId, t.endpointId, t.lane] }),
    foreignKey({
      name: 'webhook_lanes_endpoint_fkey',
      columns: [t.orgId, t.endpointId],
      foreignColumns: [webhookEndpoints.orgId, webhookEndpoints.id],
    }).onDelete('cascade'),
    index('webhook_lanes_due').on(t.dueAt).where(sql`held_at is null`),
  ],
)

/** The events that an endpoint rejected for good, and that were skipped. */
export const webhookSkips = pgTable(
  'webhook_skips',
  {
    orgId: orgId(),
    endpointId: uuid('endpoint_id').notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    position: bigint('position', { mode: 'number' }).notNull(),
    at: instant('at').notNull(),
    type: exactText('type').notNull(),
    reason: text('reason').notNull(),
    skippedAt: instant('skipped_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ name: 'webhook_skips_pkey', columns: [t.orgId, t.endpointId, t.seq] }),
    foreignKey({
      name: 'webhook_skips_endpoint_fkey',
      columns: [t.orgId, t.endpointId],
      foreignColumns: [webhookEndpoints.orgId, webhookEndpoints.id],
    }).onDelete('cascade'),
  ],
)
