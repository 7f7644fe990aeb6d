import pg from 'pg'
import type { Db } from './client.ts'
import type { Columns } from './columns.ts'
import { isAborted } from './pg-errors.ts'

/**
 * One SQL statement as a value: building it sends nothing, so the order in which statements run is the order of the
 * array given to `send`, and no `await` in between can change it.
 */
export type Statement<T> = {
  /** Name of the prepared statement on its connection; a name belongs to one text. Without a name: not prepared. */
  name?: string
  text: string
  values: unknown[]
  /** Makes the result of the rows that came back; `count` is the number of rows that the statement changed or gave. */
  read(rows: never[], count: number): T
  /** A statement over an empty set is not sent; its result is what `read` makes of no rows. */
  isEmpty?: boolean
  /** Deadline in ms; default: the pool's. A statement that misses it fails, and its connection is closed. */
  timeoutMs?: number
}

/** The results of statements, in their order. */
export type Results<S extends readonly Statement<unknown>[]> = {
  -readonly [K in keyof S]: S[K] extends Statement<infer T> ? T : never
}

/**
 * Sends statements in array order, in one round trip, and gives their results in the same order. PostgreSQL runs each
 * one after the one before it has ended, with a snapshot of its own (READ COMMITTED): a read behind a lock therefore
 * sees all that the lock waited for. Several statements need a transaction, whose connection keeps their order.
 * @throws the error of the statement that failed first, once all have ended: none may still run when the transaction
 * rolls back and another one takes the connection.
 */
export async function send<const S extends readonly Statement<unknown>[]>(
  db: Db,
  statements: S,
): Promise<Results<S>> {
  const { $client: client } = db
  if (client instanceof pg.Pool && statements.length > 1) {
    throw new Error('several statements keep their order only inside a transaction')
  }
  const ends = await Promise.allSettled(statements.map((statement) => submit(client, statement)))
  const failures = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))
  if (failures.length > 0) throw failures.find((error) => !isAborted(error)) ?? failures[0]
  return ends.map((end) => (end.status === 'fulfilled' ? end.value : undefined)) as Results<S>
}

/** Runs one statement, in a transaction or on any connection of the pool. */
export async function run<T>(db: Db, statement: Statement<T>): Promise<T> {
  const [result] = await send(db, [statement])
  return result
}

/** A statement over the rows of a set, which are its first parameters (see `columns`); `values` are the others. */
export function over<Row, T>(
  columns: Columns<Row>,
  rows: Row[],
  statement: { name?: string; text: string; values?: unknown[]; read(rows: never[], count: number): T },
): Statement<T> {
  const values = [...columns.values(rows), ...(statement.values ?? [])]
  return { ...statement, values, isEmpty: rows.length === 0 }
}

/** Reader of a statement that gives nothing. */
export function nothing(): void {}

/** Reader of a statement whose number of rows is its result. */
export function rowCount(_rows: never[], count: number): number {
  return count
}

/** Reader of a statement whose rows are its result as they are. */
export function allRows<Row>(rows: Row[]): Row[] {
  return rows
}

/** Reader of a statement that gives one row, or none: undefined. */
export function firstRow<Row>(rows: Row[]): Row | undefined {
  return rows[0]
}

async function submit<T>(client: pg.Pool | pg.PoolClient, statement: Statement<T>): Promise<T> {
  if (statement.isEmpty) return statement.read([], 0)
  const { name, text, values, timeoutMs } = statement
  const query = { name, text, values, ...(timeoutMs !== undefined && { query_timeout: timeoutMs }) }
  const result = await client.query<never>(query)
  return statement.read(result.rows, result.rowCount ?? 0)
}
