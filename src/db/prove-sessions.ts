import type pg from 'pg'
import { SetupError } from '../config.ts'
import type { Database } from './client.ts'
import { sqlState } from './pg-errors.ts'
import { firstRow, run } from './statement.ts'

const SETTINGS_LOST =
  'The connections of DATABASE_URL lose the settings statement_timeout and enable_seqscan: use a pooler that keeps them, or the address of PostgreSQL itself'
const TRANSACTION_MODE =
  'DATABASE_URL leads to a pooler in transaction mode: set DATABASE_DIRECT_URL to the address of PostgreSQL itself, which LISTEN, migrations and BullMQ use, or use session mode'
const STATEMENTS_FORGOTTEN =
  'DATABASE_URL leads to a pooler in transaction mode that forgets prepared statements: use session mode, or PgBouncer 1.21 or newer with max_prepared_statements, or the address of PostgreSQL itself'

/** SQLSTATEs of a prepared statement that does not exist, or that exists already. */
const FORGOTTEN = ['26000', '42P05']

/**
 * Proves that Usher's settings hold on the connections of a pool, which must have at least two, and that a prepared
 * statement can be used again. Gives whether a pooler stands before PostgreSQL.
 * @throws SetupError when not; what PostgreSQL or the network says otherwise.
 */
export async function proveSessions(db: Database['db'], isPooled: boolean): Promise<boolean> {
  const held = await run(db, {
    text: `select current_setting('statement_timeout') as deadline, current_setting('enable_seqscan') as scans`,
    values: [],
    read: firstRow<{ deadline: string; scans: string }>,
  })
  if (held?.deadline !== '10s' || held.scans !== 'off') throw new SetupError(SETTINGS_LOST)
  const pool: pg.Pool = db.$client
  const [one, other] = await Promise.all([pool.connect(), pool.connect()])
  try {
    const isShared = await changesSession(one, other)
    if (isShared && !isPooled) throw new SetupError(TRANSACTION_MODE)
    // A pooler gives its clients process ids of its own.
    return (one as pg.PoolClient & { processID: number }).processID !== (await sessionOf(one))
  } catch (error) {
    throw FORGOTTEN.includes(sqlState(error) ?? '') ? new SetupError(STATEMENTS_FORGOTTEN) : error
  } finally {
    for (const client of [one, other]) client.release(true)
  }
}

/**
 * Whether the two connections share a session of PostgreSQL, as behind a pooler in transaction mode: it gives the session
 * that `one` used to the transaction of `other`, so that the next statement of `one` runs in another.
 */
async function changesSession(one: pg.PoolClient, other: pg.PoolClient): Promise<boolean> {
  const before = await sessionOf(one)
  await other.query('begin')
  const between = await sessionOf(other)
  const after = await sessionOf(one)
  await other.query('rollback')
  return before !== after || before === between
}

async function sessionOf(client: pg.PoolClient): Promise<number | undefined> {
  const prepared = { name: 'usher-proof', text: 'select pg_backend_pid() as pid', values: [] }
  const { rows } = await client.query<{ pid: number }>(prepared)
  return rows[0]?.pid
}
