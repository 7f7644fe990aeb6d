import { sql } from 'drizzle-orm'
import { bigint, check, index, integer, json, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { createdAt, exactText, instant } from './columns.ts'

/** What a run takes: all fields that are given must fit. Ages are those at the start of the run. */
export type BulkFilter = {
  number?: string | undefined
  /** A part of the reason. */
  reason?: string | undefined
  age?: string | undefined
  state?: 'failed' | 'unknown' | undefined
}

/**
 * Changes of very many rows that an operator asked for, each done in small batches in the background: `replay` of dead letters,
 * `retry` of failed sends, `delete` of an org with everything that belongs to it. `place` is where the run stands in its list, so that it goes on there when its process ended. A
 * process works on a run as long as the row names it as `runner`. `refused` counts the rows that could not be changed, by
 * reason. A replay has no org, because deliveries have none; that is why no org is in the key.
 */
export const bulkRuns = pgTable(
  'bulk_runs',
  {
    id: uuid('id').primaryKey(),
    kind: exactText<'replay' | 'retry' | 'delete'>('kind').notNull(),
    orgId: exactText('org_id'),
    filter: json('filter').$type<BulkFilter>().notNull(),
    actor: exactText('actor').notNull(),
    /** How many rows fitted at the start; null where that was not counted to the end. */
    total: integer('total'),
    done: integer('done').notNull().default(0),
    refused: json('refused').$type<Record<string, number>>().notNull().default({}),
    place: json('place').$type<(string | number)[]>(),
    /** Of a replay: the newest dead letter at the start. */
    lastId: bigint('last_id', { mode: 'number' }).notNull().default(0),
    runner: uuid('runner').notNull(),
    createdAt: createdAt(),
    beatAt: instant('beat_at').notNull().defaultNow(),
    endedAt: instant('ended_at'),
    outcome: text('outcome', { enum: ['finished', 'stopped'] }),
  },
  (t) => [
    uniqueIndex('bulk_runs_one_open').on(t.kind, sql`coalesce(org_id, '')`).where(sql`ended_at is null`),
    index('bulk_runs_latest').on(t.kind, t.createdAt),
    index('bulk_runs_ended').on(t.endedAt),
    check('bulk_runs_kind_known', sql`${t.kind} in ('replay', 'retry', 'delete')`),
    check('bulk_runs_ends_with_outcome', sql`(${t.endedAt} is null) = (${t.outcome} is null)`),
    check('bulk_runs_has_org', sql`(${t.kind} = 'replay') = (${t.orgId} is null)`),
  ],
)
