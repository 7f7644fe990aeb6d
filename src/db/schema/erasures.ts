import { sql } from 'drizzle-orm'
import {
  check,
  index,
  integer,
  json,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { bytea, id, instant, orgId } from './columns.ts'

/** The parts of an erasure, in their order. */
export const ERASURE_STAGES = [
  ...(['people', 'messages', 'audit', 'events', 'answers', 'account_events', 'deliveries', 'sends'] as const),
] as const

/** Who is erased: needed until it is done, and null then. `values`: the names in JSON; `search`: ids of contacts and chatrooms. */
export type ErasedPerson = { customerIds: string[]; values: string[]; search: string[] }

/**
 * The erasures of people (docs/privacy.md). `stage` and `place` are where one stands, so that it goes on there when its
 * process ended; whoever works on it locks the row. `messages` counts those that were erased. What remains at the end names
 * nobody: `customerId` is of a row without names.
 */
export const erasures = pgTable(
  'erasures',
  {
    orgId: orgId(),
    id: id(),
    customerId: uuid('customer_id').notNull(),
    actor: text('actor').notNull(),
    requestedAt: instant('requested_at').notNull().defaultNow(),
    person: json('person').$type<ErasedPerson>(),
    stage: text('stage', { enum: ERASURE_STAGES }).notNull().default('people'),
    place: json('place').$type<(string | boolean)[]>(),
    messages: integer('messages').notNull().default(0),
    finishedAt: instant('finished_at'),
  },
  (t) => [
    primaryKey({ name: 'erasures_pkey', columns: [t.orgId, t.id] }),
    uniqueIndex('erasures_one_open').on(t.orgId, t.customerId).where(sql`finished_at is null`),
    check('erasures_name_nobody_at_the_end', sql`${t.finishedAt} is null or ${t.person} is null`),
  ],
)

/**
 * Digests of the wamids and names that were erased in an org (`src/erased/digest.ts`): what Meta delivers once more does not
 * come back. They are kept for 30 days.
 */
export const tombstones = pgTable(
  'tombstones',
  {
    orgId: orgId(),
    digest: bytea('digest').notNull(),
    erasedAt: instant('erased_at').notNull(),
  },
  (t) => [
    primaryKey({ name: 'tombstones_pkey', columns: [t.orgId, t.digest] }),
    index('tombstones_erased').on(t.erasedAt),
  ],
)
