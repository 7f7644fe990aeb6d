import { sql } from 'drizzle-orm'
import { check, integer, pgTable, primaryKey } from 'drizzle-orm/pg-core'
import { exactText, instant } from './columns.ts'

/**
 * Signs of life of the whole installation, which is why the table has no org. For a queue: when a canary was last enqueued
 * (`askedAt`), and when a worker last answered one (`answeredAt`). For a sweep: when it last finished (`answeredAt`), and
 * how many rows it changed.
 */
export const heartbeats = pgTable(
  'heartbeats',
  {
    kind: exactText<'queue' | 'sweep'>('kind').notNull(),
    name: exactText('name').notNull(),
    askedAt: instant('asked_at'),
    answeredAt: instant('answered_at'),
    rows: integer('rows'),
  },
  (t) => [
    primaryKey({ name: 'heartbeats_pkey', columns: [t.kind, t.name] }),
    check('heartbeats_kind_known', sql`${t.kind} in ('queue', 'sweep')`),
  ],
)
