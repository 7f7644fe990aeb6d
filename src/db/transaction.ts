import { drizzle } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import type { Db } from './client.ts'
import { isUnreachable } from './pg-errors.ts'
import { createRenewal } from './renew-plans.ts'
import * as schema from './schema/index.ts'
import { beginOn, isSetInTransactions } from './settings.ts'
import { nothing, type Results, run, type Statement, send } from './statement.ts'

/**
 * Runs `work` in one READ COMMITTED transaction on one connection; a throw rolls back and is passed on. Inside a
 * running transaction, `work` becomes part of it. A connection that cannot roll back is closed, never returned to
 * the pool.
 */
export function inTransaction<T>(db: Db, work: (tx: Db) => Promise<T>): Promise<T> {
  return transact(db, () => [], [], work)
}

export type Replayable<S extends readonly Statement<unknown>[]> = {
  /** The first statements, which travel with the `begin`. They may end with `COMMIT`: then they are the whole transaction. */
  first: S
  /** As `readInOrder`, for all statements of the transaction. */
  inOrder?: boolean
}

/**
 * As `inTransaction`, for work that is repeated when its commit is lost: the commit does not wait for the disk
 * (`synchronous_commit = off`), so a crash of PostgreSQL undoes what was committed in the last 0.6 s at most. Any later
 * durable commit, such as the claim of a message to send, makes it durable too. Its prepared statements keep their plans.
 */
export function inReplayableTransaction<const S extends readonly Statement<unknown>[], T>(
  db: Db,
  { first, inOrder }: Replayable<S>,
  work: (tx: Db, first: Results<S>) => Promise<T>,
): Promise<T> {
  const settings = ['set local synchronous_commit to off', ...(inOrder ? [NO_SORTS] : [])]
  return transact(db, (client) => [...settings, ...renewPlans(client)], first, work)
}

/** Commits with the first statements of a transaction, or with the last ones (`commitWith`). */
export const COMMIT: Statement<void> = plain('commit')

/** Connections whose transaction was committed with its last statements. */
const committed = new WeakSet<pg.PoolClient>()

/**
 * Sends the last statements of a transaction together with the commit, which saves a round trip. If one of them fails,
 * nothing is committed. Not for work that may be a part of a larger transaction.
 */
export async function commitWith(tx: Db, statements: readonly Statement<unknown>[]): Promise<void> {
  await send(tx, [...statements, COMMIT])
  if (!(tx.$client instanceof pg.Pool)) committed.add(tx.$client)
}

/**
 * Makes the commit of a replayable transaction wait for the disk, and for synchronous standbys. What the transaction has read
 * was committed before, so it is on the disk too.
 */
export const COMMIT_ON_DISK: Statement<void> = plain('set local synchronous_commit to on')

/**
 * Runs a statement that reads the next rows of a log in the order of its index. Without statistics, PostgreSQL expects few
 * rows and sorts all that are left for each page: with 20,000 rows left a page took 60 ms instead of 6.
 */
export function readInOrder<T>(db: Db, statement: Statement<T>): Promise<T> {
  return transact(
    db,
    () => [NO_SORTS],
    [statement, COMMIT],
    async (_tx, [result]) => result,
  )
}

/** A sort that no index can replace is still made. */
const NO_SORTS = 'set local enable_sort to off'

const renewPlans = createRenewal()

/** Runs `work` in a savepoint of a running transaction: a failure undoes its own writes only, and is passed on. */
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

/**
 * Sends statements over one connection of the pool, in one round trip. They run in the order of the array, and each
 * commits by itself. A failure closes the connection.
 */
export async function commitEach<const S extends readonly Statement<unknown>[]>(
  { $client: pool }: { $client: pg.Pool },
  statements: S,
): Promise<Results<S>> {
  const client = await pool.connect()
  const connection = dbOn(client)
  const commit = async (statement: Statement<unknown>) => {
    if (!isSetInTransactions(pool)) return run(connection, statement)
    const [, result] = await send(connection, [plain(beginOn(pool)), statement, COMMIT])
    return result
  }
  const ends = await Promise.allSettled(statements.map(commit))
  const failed = ends.find((end) => end.status === 'rejected')
  client.release(failed !== undefined)
  if (failed) throw failed.reason
  return ends.map((end) => (end.status === 'fulfilled' ? end.value : undefined)) as Results<S>
}

/** A statement without parameters or result. */
function plain(text: string): Statement<void> {
  return { text, values: [], read: nothing }
}

async function transact<const S extends readonly Statement<unknown>[], T>(
  db: Db,
  settings: (client: pg.PoolClient) => string[],
  first: S,
  work: (tx: Db, first: Results<S>) => Promise<T>,
): Promise<T> {
  if (!(db.$client instanceof pg.Pool)) {
    const results = await send(
      db,
      first.filter((statement) => statement !== COMMIT),
    )
    return work(db, results as Results<S>)
  }
  const client = await db.$client.connect()
  const tx = dbOn(client)
  let broken: Error | undefined
  try {
    const [, ...begun] = await send(tx, [plain(beginOn(db.$client, ...settings(client))), ...first])
    const result = await work(tx, begun as Results<S>)
    if (!committed.delete(client) && first.at(-1) !== COMMIT) await client.query('commit')
    return result
  } catch (error) {
    broken = await rollBack(client, error)
    throw error
  } finally {
    client.release(broken)
  }
}

/**
 * Rolls back, and gives the reason why the connection must be closed, if there is one. A connection that fell silent is
 * not asked to roll back: that would wait for a second deadline before the work is tried on another connection.
 */
async function rollBack(client: pg.PoolClient, error: unknown): Promise<Error | undefined> {
  if (isUnreachable(error)) return new Error('the connection was lost in a transaction', { cause: error })
  return client.query('rollback').then(
    () => undefined,
    (rollbackError: Error) => rollbackError,
  )
}

const connections = new WeakMap<pg.PoolClient, Db>()

/** One `Db` for each connection of the pool: making one walks the whole schema, which costs 0.4 ms. */
function dbOn(client: pg.PoolClient): Db {
  const known = connections.get(client)
  if (known) return known
  const made = drizzle(client, { schema })
  connections.set(client, made)
  return made
}
