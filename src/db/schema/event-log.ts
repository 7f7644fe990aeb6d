import { sql } from 'drizzle-orm'
import { bigint, json, pgSequence, pgTable, primaryKey, uuid } from 'drizzle-orm/pg-core'
import { exactText, instant, orgId } from './columns.ts'

/** Orders the events of one position. */
export const eventLogSeq = pgSequence('event_log_seq')

/**
 * What the CRM can read of what happened: one small row for each event, which names the row that holds the content
 * (`wamid`: a message, `auditId`: a row of `events`), so that nothing is stored twice; `data` is what no other row keeps.
 * The table is partitioned by the UTC day of `at` (`src/event-feed/keep-partitions.ts`, and the functions of `drizzle/0019_event_log.sql`). `position` and `seq` are the
 * order in which readers see events (`src/event-log/position.ts`). The audit `events` is a table of its own, because it
 * is kept for ever and is read by chatroom, contact and customer.
 */
export const eventLog = pgTable(
  'event_log',
  {
    orgId: orgId(),
    position: bigint('position', { mode: 'number' }).notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull().default(sql`nextval('event_log_seq')`),
    at: instant('at').notNull().default(sql`clock_timestamp()`),
    type: exactText('type').notNull(),
    customerId: uuid('customer_id'),
    wamid: exactText('wamid'),
    auditId: uuid('audit_id'),
    data: json('data'),
  },
  (t) => [primaryKey({ name: 'event_log_pkey', columns: [t.orgId, t.position, t.seq, t.at] })],
)
