import { pgTable, primaryKey, uuid } from 'drizzle-orm/pg-core'
import { exactText, instant, orgId } from './columns.ts'

/**
 * When a customer last called a number. A call opens the 24 h window as a message does, and counts as none otherwise: it
 * is in no chatroom and moves no timer.
 */
export const lastCalls = pgTable(
  'last_calls',
  {
    orgId: orgId(),
    customerId: uuid('customer_id').notNull(),
    wabaPhoneId: exactText('waba_phone_id').notNull(),
    calledAt: instant('called_at').notNull(),
  },
  (t) => [primaryKey({ name: 'last_calls_pkey', columns: [t.orgId, t.customerId, t.wabaPhoneId] })],
)
