import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { endLostConnections } from './lost-connections.ts'
import * as schema from './schema/index.ts'

/** A pool, or the one connection of a transaction. Verbs accept either, so that every verb can be part of a transaction. */
export type Db = NodePgDatabase<typeof schema> & { $client: pg.Pool | pg.PoolClient }

/** A pool as a `Db`, and how to close it. */
export type Database = { db: Db & { $client: pg.Pool }; close(): Promise<void> }

export type DatabaseOptions = {
  /** Connections that the pool opens at most. */
  max: number
  /** Shown in `pg_stat_activity`. */
  name: string
  /** Called when connections die while they are idle, or are lost silently. */
  onLost: (error: Error) => void
}

/**
 * Usher's statements look up keys, one batch at a time. With missing or stale statistics PostgreSQL prefers sequential
 * scans and hash joins, and routing became 30 times slower. Plans without them are good on empty tables and on tables
 * with millions of rows.
 */
const INDEX_PLANS = '-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off'

/**
 * Settings that the server, the database or the role may have otherwise. They would change how long a commit waits for the
 * disk, in which form times are read, and what a statement sees of concurrent commits.
 */
export const SESSION = [
  'synchronous_commit=on',
  'datestyle=ISO',
  'intervalstyle=postgres',
  'timezone=UTC',
  'default_transaction_isolation=read\\ committed',
]
  .map((setting) => `-c ${setting}`)
  .join(' ')

/**
 * Ends sessions that lost their client silently. PostgreSQL keeps such a session for two hours, and a few losses used up
 * all its connections. Usher itself closes a connection that has been idle for 10 s, or queries it every 3 s, so a session
 * that has been idle for 15 s has no client.
 */
export const END_ABANDONED = '-c idle_session_timeout=15s'

/**
 * Opens a pool, which connects lazily: this never throws, and the pool recovers by itself after an outage. Every statement
 * has a deadline on the server (10 s) and one in this process (12 s, for a server that is frozen or unreachable). A
 * statement on a connection that was lost silently fails within 2 s.
 */
export function openDatabase(url: string, options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max,
    application_name: options.name,
    options: `${INDEX_PLANS} ${SESSION} ${END_ABANDONED}`,
    connectionTimeoutMillis: 2_000,
    statement_timeout: 10_000,
    query_timeout: 12_000,
    // A worker that freezes in a transaction locks its rows for no longer than this.
    idle_in_transaction_session_timeout: 5_000,
    keepAlive: true,
    // Statements may be sent before the answer to the one before; PostgreSQL runs them in the order of sending.
    pipeline: true,
  })
  pool.on('error', options.onLost)
  // The pool handles the errors of idle connections only. A connection that is lost in a transaction fails its query; an
  // error without a listener would also crash the process.
  pool.on('connect', (client) => client.on('error', () => undefined))
  endLostConnections(pool, url, (n) => options.onLost(new Error(`connections lost silently: ${n}`)))
  return { db: drizzle(pool, { schema }), close: () => pool.end() }
}
