import { bigint, customType, index, integer, json, pgTable, primaryKey, smallint } from 'drizzle-orm/pg-core'
import { bytea, createdAt, exactText, orgId } from './columns.ts'

/** The answers to POSTs with an `Idempotency-Key`. `status` is null while the first request is being processed. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    orgId: orgId(),
    key: exactText('key').notNull(),
    requestDigest: bytea('request_digest').notNull(),
    status: smallint('status'),
    body: json('body'),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ name: 'idempotency_keys_pkey', columns: [t.orgId, t.key] }),
    index('idempotency_keys_created').on(t.createdAt),
  ],
)

const exactVarchar = customType<{ data: string }>({ dataType: () => 'varchar(255) COLLATE "C"' })

/** Requests that may not be repeated until `expire`, in ms since 1970 by the database's clock. Keys start with the org. */
export const rateLimits = pgTable('rate_limits', {
  key: exactVarchar('key').primaryKey(),
  points: integer('points').notNull().default(0),
  expire: bigint('expire', { mode: 'number' }),
})
