import { join } from 'node:path'
import { runMigrations } from 'bullmq'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator'
import pg from 'pg'
import { projectRoot } from '../project-root.ts'
import { sqlState } from './pg-errors.ts'

/** Key of the session lock that lets one process migrate at a time; the bytes spell USHR. */
const MIGRATION_LOCK = 0x55534852
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Brings the database to this version's schema: our tables, then BullMQ's (schema `bullmq`, always, so that
 * the queue can live in PostgreSQL). Any number of processes may call it at once: they take turns, and the
 * late ones find nothing to do. Waits up to 60 s for its turn; a migration itself has no time limit.
 * @throws Error when the server cannot be reached, another process migrates for more than 60 s, or SQL fails.
 */
export async function migrate(url: string): Promise<void> {
  const client = await connect(url)
  try {
    await client.query(`set statement_timeout = 0; set lock_timeout = '60s'`)
    await takeTurn(client)
    // drizzle takes no lock of its own, and runs only what is newer than the newest it finds applied.
    await applyMigrations(drizzle(client), { migrationsFolder: join(projectRoot(), 'drizzle') })
    await runMigrations(client)
  } finally {
    await client.end()
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'usher-migrate',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  })
  // A connection lost between two statements fails the next statement; without a listener it would crash.
  client.on('error', () => {})
  try {
    await client.connect()
    return client
  } catch (cause) {
    const { host, port, database } = client
    throw new Error(`cannot connect to PostgreSQL at ${host}:${port}/${database}: ${reason(cause)}`, {
      cause,
    })
  }
}

/** Held until the connection ends, however it ends. */
async function takeTurn(client: pg.Client): Promise<void> {
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
  } catch (cause) {
    if (sqlState(cause) !== LOCK_NOT_AVAILABLE) throw cause
    throw new Error('another process has been migrating this database for more than 60 s', { cause })
  }
}

function reason(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(reason).join('; ')
  return cause instanceof Error ? cause.message : String(cause)
}
