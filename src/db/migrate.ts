import { join } from 'node:path'
import { runMigrations } from 'bullmq'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator'
import pg from 'pg'
import { projectRoot } from '../project-root.ts'
import { makeMonths, moveMessages } from './move-messages.ts'
import { sqlState } from './pg-errors.ts'

/** Key of the session lock that lets only one process migrate at a time. Its bytes spell USHR. */
const MIGRATION_LOCK = 0x55534852
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Migrates the database to the schema of this version: first Usher's tables, then BullMQ's in the schema `bullmq`, which
 * exist also where the queues are on Redis, so that an installation can change. Any number of processes may call this at
 * the same time: they take turns of up to 60 s, and all but the first find nothing to do. A migration itself has no time
 * limit. If it is killed, the next one goes on where it stopped. `report` gets a line of progress now and then.
 * @throws Error when the server cannot be reached, another process migrates for more than 60 s, or SQL fails.
 */
export async function migrate(url: string, report: (line: string) => void = () => {}): Promise<void> {
  const client = await connect(url)
  try {
    await client.query(`set statement_timeout = 0; set lock_timeout = '60s'`)
    await takeTurn(client)
    // drizzle takes no lock of its own; it runs the migrations that are newer than the newest one applied.
    await applyMigrations(drizzle(client), { migrationsFolder: join(projectRoot(), 'drizzle') })
    await moveMessages(client, report)
    await makeMonths(client)
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
  // Without a listener, the loss of this connection would crash the process. The next statement fails anyway.
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

/** Takes the lock, which the session holds until its connection ends, also when the process is killed. */
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
