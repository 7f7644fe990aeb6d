import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { limitWaiting } from './limit-waiting.ts'
import { endLostConnections } from './lost-connections.ts'
import { TYPES } from './parse-timestamp.ts'
import * as schema from './schema/index.ts'
import { DEADLINES, type Deadlines, sendOneByOne, setForSession, setInTransactions } from './settings.ts'

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
  /** The URL may lead to a pooler whose sessions keep nothing from one transaction to the next; default: false. */
  isPooled?: boolean
  /** Statements may be sent before the answer to the one before; default: true. Some proxies stop working then. */
  pipeline?: boolean
  deadlines?: Deadlines
  /** How long a caller waits for a connection, in ms; default: 2 s. */
  waitMs?: number
}

/**
 * Opens a pool, which connects lazily: this never throws, and the pool recovers by itself after an outage. Every statement
 * has a deadline on the server (10 s) and one in this process (12 s, for a server that is frozen or unreachable). A
 * statement on a connection that was lost silently fails within 2 s, and so does one that waits for a connection.
 */
export function openDatabase(url: string, options: DatabaseOptions): Database {
  const { isPooled = false, pipeline = true, deadlines = DEADLINES, waitMs = 2_000 } = options
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max,
    application_name: options.name,
    query_timeout: 12_000,
    keepAlive: true,
    types: TYPES,
    pipeline,
  })
  pool.on('error', options.onLost)
  // The pool handles the errors of idle connections only. A connection that is lost in a transaction fails its query; an
  // error without a listener would also crash the process.
  pool.on('connect', (client) => client.on('error', () => undefined))
  limitWaiting(pool, waitMs)
  if (!pipeline) pool.on('connect', sendOneByOne)
  if (isPooled) setInTransactions(pool, deadlines)
  else setForSession(pool, deadlines)
  endLostConnections(pool, url, (n) => options.onLost(new Error(`connections lost silently: ${n}`)))
  return { db: drizzle(pool, { schema }), close: () => pool.end() }
}
