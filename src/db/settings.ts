import type pg from 'pg'
import { isUnreachable } from './pg-errors.ts'

/** Deadlines that PostgreSQL itself enforces, in milliseconds. */
export type Deadlines = {
  /** For a statement. */
  statementMs: number
  /** For a pause within a transaction: a worker that freezes in one locks its rows for no longer than this. */
  idleInTransactionMs: number
}

export const DEADLINES: Deadlines = { statementMs: 10_000, idleInTransactionMs: 5_000 }

/**
 * Usher's statements look up keys, one batch at a time. With missing or stale statistics PostgreSQL prefers sequential
 * scans and hash joins, and routing became 30 times slower. Plans without them are good on empty tables and on tables
 * with millions of rows.
 */
const INDEX_PLANS = ['enable_seqscan = off', 'enable_hashjoin = off', 'enable_mergejoin = off']

/**
 * Settings that the server, the database or the role may have otherwise. They would change how long a commit waits for the
 * disk, in which form times are read, and what a statement sees of concurrent commits.
 */
const SAME_EVERYWHERE = [
  'synchronous_commit = on',
  'datestyle = ISO',
  'intervalstyle = postgres',
  `timezone = 'UTC'`,
]
/** Of every transaction of a session, and of the one that runs. */
const [ISOLATION, OWN_ISOLATION] = ['default_transaction_isolation', 'transaction_isolation'].map(
  (name) => `${name} = 'read committed'`,
) as [string, string]

/** Gives a session these settings. */
export const SAME_SESSION = [...SAME_EVERYWHERE, ISOLATION].map((one) => `set ${one}`).join('; ')

/**
 * Ends sessions that lost their client silently. PostgreSQL keeps such a session for two hours, and a few losses used up
 * all its connections. Usher itself closes a connection that has been idle for 10 s, or queries it every 3 s, so a session
 * that has been idle for 15 s has no client.
 */
export const END_ABANDONED = `set idle_session_timeout = '15s'`

/**
 * Makes every connection of the pool start with Usher's settings. They are a statement, not startup parameters, which
 * poolers refuse; the statement travels with the first one that follows, so it costs no round trip. The settings hold
 * for as long as the session does, and so not behind a pooler in transaction mode.
 */
export function setForSession(pool: pg.Pool, deadlines: Deadlines): void {
  const set = [...listSettings(deadlines).map((one) => `set ${one}`), SAME_SESSION, END_ABANDONED].join('; ')
  // A connection on which this fails fails its next statement too.
  pool.on('connect', (client) => void client.query(set).catch(() => undefined))
}

/**
 * Makes a connection send each statement after the answer to the one before, in the order in which they were given. The
 * pg library would do so by itself, but warns that it will not for ever.
 */
export function sendOneByOne(client: pg.PoolClient): void {
  const query = client.query.bind(client) as (...statement: unknown[]) => Promise<unknown>
  let last: Promise<unknown> = Promise.resolve()
  const queue = (...statement: unknown[]) => {
    const next = () => query(...statement)
    last = last.then(next, next)
    return last
  }
  client.query = queue as typeof client.query
}

const begins = new WeakMap<pg.Pool, string>()

/**
 * Makes every transaction of the pool start with Usher's settings, and every other statement a transaction of its own:
 * behind a pooler in transaction mode, each transaction may run in another session. The settings and the end of the
 * transaction travel with the statement, in one round trip.
 */
export function setInTransactions(pool: pg.Pool, deadlines: Deadlines): void {
  const settings = [...listSettings(deadlines), ...SAME_EVERYWHERE, OWN_ISOLATION].map(
    (one) => `; set local ${one}`,
  )
  begins.set(pool, settings.join(''))
  const query = async (...statement: [never]) => {
    const client = await pool.connect()
    const begun = client.query(beginOn(pool))
    const sent = [begun, client.query<never>(...statement), client.query('commit')] as const
    const failed = (await Promise.allSettled(sent)).find((end) => end.status === 'rejected')
    client.release(failed !== undefined && isUnreachable(failed.reason))
    if (failed) throw failed.reason
    return sent[1]
  }
  pool.query = query as unknown as pg.Pool['query']
}

/** Whether transactions of the pool set what they need, because its sessions keep nothing. */
export function isSetInTransactions(pool: pg.Pool): boolean {
  return begins.has(pool)
}

/** What begins a transaction on a connection of the pool; `own` are further statements, such as settings of its own. */
export function beginOn(pool: pg.Pool, ...own: string[]): string {
  return [`begin${begins.get(pool) ?? ''}`, ...own].join('; ')
}

function listSettings({ statementMs, idleInTransactionMs }: Deadlines): string[] {
  return [
    ...INDEX_PLANS,
    `statement_timeout = ${statementMs}`,
    `idle_in_transaction_session_timeout = ${idleInTransactionMs}`,
  ]
}
