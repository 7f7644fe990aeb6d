import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { endLostConnections } from './lost-connections.ts'
import { isAborted, isUnreachable } from './pg-errors.ts'
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

/**
 * Runs `work` in one READ COMMITTED transaction on one connection; a throw rolls back and is passed on. A
 * connection that cannot even roll back is destroyed, never returned to the pool.
 */
export function inTransaction<T>(db: Db, work: (tx: Db) => Promise<T>): Promise<T> {
  return transact(db, 'begin', async (tx, begun) => {
    await begun
    return work(tx)
  })
}

/**
 * As `inTransaction`, for work that is done again should its commit be lost: it does not wait for the disk, so a crash
 * of PostgreSQL (not of ours) undoes what was committed in the last moments, at most 0.6 s, and any later durable
 * commit, such as taking a message to send it, makes this one durable too (`synchronous_commit`).
 * @param small keep the plans of its statements
 * @param work must await `begun`; together with its first statement, when that one does no harm by itself
 */
export function inReplayableTransaction<T>(
  db: Db,
  small: boolean,
  work: (tx: Db, begun: Promise<unknown>) => Promise<T>,
): Promise<T> {
  const plans = small ? PLANS_KEPT : PLANS_OF_NOW
  return transact(
    db,
    `begin; set local synchronous_commit to off; set local plan_cache_mode to ${plans}`,
    work,
  )
}

/**
 * Planning takes 0.1 ms a statement. But a kept plan fits the tables as they were: one made for an empty ledger read all
 * messages of an org for each that it looked up, until the ledger was analyzed. So only small work, where that is little, keeps them.
 */
const PLANS_KEPT = 'force_generic_plan'
const PLANS_OF_NOW = 'force_custom_plan'

async function transact<T>(
  db: Db,
  begin: string,
  work: (tx: Db, begun: Promise<unknown>) => Promise<T>,
): Promise<T> {
  if (!(db.$client instanceof pg.Pool)) return work(db, Promise.resolve())
  const client = await db.$client.connect()
  let broken: Error | undefined
  try {
    const begun = client.query(begin)
    const result = await work(transactionOn(client), begun)
    await client.query('commit')
    return result
  } catch (error) {
    broken = await rollBack(client, error)
    throw error
  } finally {
    client.release(broken)
  }
}

/**
 * Why the connection is of no use any more, if so. One that fell silent is not asked again: the rollback would wait
 * for its deadline too, and double the time until the work is tried on another connection.
 */
async function rollBack(client: pg.PoolClient, error: unknown): Promise<Error | undefined> {
  if (isUnreachable(error)) return new Error('the connection was lost in a transaction', { cause: error })
  return client.query('rollback').then(
    () => undefined,
    (rollbackError: Error) => rollbackError,
  )
}

const transactions = new WeakMap<pg.PoolClient, Db>()

/** One for each connection of the pool: making it walks the whole schema, 0.4 ms in every transaction. */
function transactionOn(client: pg.PoolClient): Db {
  const known = transactions.get(client)
  if (known) return known
  const made = drizzle(client, { schema })
  transactions.set(client, made)
  return made
}

/**
 * Waits for statements that were sent at once. A failure is thrown when all have ended, since none may be sent any more
 * once the transaction rolls back and another one has the connection; it is the one that made the others fail.
 */
export async function together<T extends readonly unknown[] | []>(
  statements: T,
): Promise<{ -readonly [P in keyof T]: Awaited<T[P]> }> {
  const ends = await Promise.allSettled(statements)
  const failures = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))
  if (failures.length > 0) throw failures.find((error) => !isAborted(error)) ?? failures[0]
  return Promise.all(statements)
}

/** Runs `work` in a savepoint of a running transaction: its failure undoes only its own writes, and is passed on. */
export async function inSavepoint<T>(tx: Db, work: () => Promise<T>): Promise<T> {
  await tx.$client.query('savepoint usher')
  try {
    const result = await work()
    await tx.$client.query('release savepoint usher')
    return result
  } catch (error) {
    if (!isUnreachable(error)) await tx.$client.query('rollback to savepoint usher')
    throw error
  }
}
