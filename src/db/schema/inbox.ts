import { sql } from 'drizzle-orm'
import { bigint, check, index, pgTable, smallint, text } from 'drizzle-orm/pg-core'
import { bytea, instant } from './columns.ts'

/**
 * One webhook POST, exactly as signed, until it is routed (then the row is gone). It carries no org: one
 * delivery may speak of several, known only once it is read. `state`: new (to route), parked (waits for the
 * number or WABA in `parkedFor` to be provisioned) or dead (kept with its error; replayable). `dueAt`: when
 * requeue-stranded may enqueue it again; `attempts`: tries since it is suspected of killing its worker.
 */
export const inbox = pgTable(
  'inbox',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    body: bytea('body').notNull(),
    receivedAt: instant('received_at').notNull().defaultNow(),
    state: text('state', { enum: ['new', 'parked', 'dead'] })
      .notNull()
      .default('new'),
    dueAt: instant('due_at').notNull().default(sql`now() + interval '10 seconds'`),
    requeues: smallint('requeues').notNull().default(0),
    attempts: smallint('attempts').notNull().default(0),
    parkedFor: text('parked_for'),
    error: text('error'),
  },
  (t) => [
    index('inbox_due').on(t.dueAt).where(sql`state = 'new'`),
    index('inbox_parked').on(t.parkedFor, t.id).where(sql`state = 'parked'`),
    index('inbox_dead').on(t.id).where(sql`state = 'dead'`),
    check('inbox_state_known', sql`${t.state} in ('new', 'parked', 'dead')`),
    check('inbox_parked_for_something', sql`(${t.state} = 'parked') = (${t.parkedFor} is not null)`),
    check('inbox_dead_for_a_reason', sql`${t.state} <> 'dead' or ${t.error} is not null`),
  ],
)
