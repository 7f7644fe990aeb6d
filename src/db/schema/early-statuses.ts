import { index, json, pgTable, primaryKey } from 'drizzle-orm/pg-core'
import { exactText, instant, orgId } from './columns.ts'

/**
 * Statuses of messages that the ledger does not know, the strongest of each message: a status can come before Meta's
 * answer to the send has named its message. The answer applies it. Statuses of messages that Usher did not send are kept
 * as well. All are deleted after a day.
 */
export const earlyStatuses = pgTable(
  'early_statuses',
  {
    orgId: orgId(),
    wamid: exactText('wamid').notNull(),
    status: exactText('status').notNull(),
    statusAt: instant('status_at'),
    errors: json('errors').$type<unknown[]>(),
    receivedAt: instant('received_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ name: 'early_statuses_pkey', columns: [t.orgId, t.wamid] }),
    index('early_statuses_received').on(t.receivedAt),
  ],
)
