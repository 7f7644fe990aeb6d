import { sql } from 'drizzle-orm'
import { bigint, check, index, pgTable, smallint, text } from 'drizzle-orm/pg-core'
import { bytea, exactText, instant } from './columns.ts'

/**
 * One webhook POST (a delivery), with its bytes exactly as signed. The transaction that routes it deletes the row. It has
 * no org, because one delivery may concern several orgs, and they are known only when it is parsed.
 *
 * `state` is `new` (to be routed), `parked` (waits until the number or WABA in `parkedFor` is provisioned) or `dead` (a
 * dead letter: kept with its error, and replayable). From `dueAt` on, requeue-stranded may enqueue the row again, which it
 * has done `requeues` times. `attempts` counts the tries since the row is suspected of killing its worker.
 */
export const inbox = pgTable(
  'inbox',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    body: bytea('body').notNull(),
    receivedAt: instant('received_at').notNull().defaultNow(),
    state: exactText<'new' | 'parked' | 'dead'>('state').notNull().default('new'),
    dueAt: instant('due_at').notNull().default(sql`now() + interval '10 seconds'`),
    requeues: smallint('requeues').notNull().default(0),
    attempts: smallint('attempts').notNull().default(0),
    parkedFor: exactText('parked_for'),
    error: text('error'),
  },
  (t) => [
    index('inbox_due').on(t.dueAt).where(sql`state = 'new'`),
    index('inbox_parked').on(t.parkedFor, t.id).where(sql`state = 'parked'`),
    index('inbox_dead').on(t.id).where(sql`state = 'dead'`),
    // The console lists dead letters by age.
    index('inbox_dead_received').on(t.receivedAt, t.id).where(sql`state = 'dead'`),
    check('inbox_state_known', sql`${t.state} in ('new', 'parked', 'dead')`),
    check('inbox_parked_for_something', sql`(${t.state} = 'parked') = (${t.parkedFor} is not null)`),
    check('inbox_dead_for_a_reason', sql`${t.state} <> 'dead' or ${t.error} is not null`),
  ],
)
