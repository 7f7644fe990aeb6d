import { index, json, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { createdAt, exactText, id, orgId } from './columns.ts'

/**
 * The audit: one row for each change of state, written in the transaction of the change. `actor` is `routing`, `sweep`,
 * `user:<id>` and the like.
 */
export const events = pgTable(
  'events',
  {
    orgId: orgId(),
    id: id(),
    kind: exactText('kind').notNull(),
    actor: exactText('actor').notNull(),
    reason: text('reason'),
    customerId: uuid('customer_id'),
    contactId: uuid('contact_id'),
    chatroomId: uuid('chatroom_id'),
    wamid: exactText('wamid'),
    before: json('before'),
    after: json('after'),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ name: 'events_pkey', columns: [t.orgId, t.id] }),
    index('events_chatroom').on(t.orgId, t.chatroomId, t.id),
    index('events_contact').on(t.orgId, t.contactId, t.id),
    index('events_customer').on(t.orgId, t.customerId, t.id),
  ],
)
