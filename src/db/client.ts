import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { endLostConnections } from './lost-connections.ts'
import * as schema from './schema/index.ts'

/** A pool or one client inside a transaction: verbs take either, so any verb composes into a transaction. */
export type Db = NodePgDatabase<typeof schema> & { $client: pg.Pool | pg.PoolClient }

/** The pool as a `Db`, and how to end it. */
export type Database = { db: Db & { $client: pg.Pool }; close(): Promise<void> }

export type DatabaseOptions = {
  /** Most connections this process opens. */
  max: number
  /** Shown in `pg_stat_activity`. */
  name: string
  /** Told of connections that die while idle, or without a word; a lost connection is no reason to crash. */
  onLost: (error: Error) => void
}

/**
 * Our statements look up keys, a batch at a time. On empty or stale statistics PostgreSQL prefers sequential scans
 * and hash joins to them, and routing fell 30-fold: these plans hold on empty and million-row tables alike.
 */
const INDEX_PLANS = '-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off'

/**
 * Ours are closed when idle for 10 s, or asked something every 3 s: one that is idle for longer has lost its client without
 * a word, and PostgreSQL would keep it for two hours. A few such losses took all connections it had.
 */
export const LEFT_BEHIND = '-c idle_session_timeout=15s'

/**
 * Opens a pool; connects lazily, so it never throws and heals by itself after an outage. Every statement has a
 * deadline on the server (10 s) and one on our side (12 s, for a server that is frozen or unreachable); one that waits on
 * a connection that is lost fails within 2 s.
 */
export function openDatabase(url: string, options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max,
    application_name: options.name,
    options: `${INDEX_PLANS} ${LEFT_BEHIND}`,
    connectionTimeoutMillis: 2_000,
    statement_timeout: 10_000,
    query_timeout: 12_000,
    // A worker that froze in a transaction keeps others from its rows no longer than that.
    idle_in_transaction_session_timeout: 5_000,
    keepAlive: true,
    // Statements that need not wait for each other's rows are sent at once, and are run in the order they were sent.
    pipeline: true,
  })
  pool.on('error', options.onLost)
  // The pool listens only to idle clients; one that is lost in a transaction fails its query, and must not crash.
  pool.on('connect', (client) => client.on('error', () => undefined))
  endLostConnections(pool, url, (n) => options.onLost(new Error(`${n} lost without a word`)))
  return { db: drizzle(pool, { schema }), close: () => pool.end() }
}
