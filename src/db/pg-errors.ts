import { adviseOnTls } from './tls-errors.ts'

/** The SQLSTATE of a PostgreSQL error, even if a library wrapped it; undefined for any other error. */
export function sqlState(error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause) {
    const code = (e as Error & { code?: unknown }).code
    if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return code
  }
  return undefined
}

/** The name of the constraint that a statement violated; undefined for any other error. */
export function violatedConstraint(error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause) {
    const name = (e as Error & { constraint?: unknown }).constraint
    if (typeof name === 'string') return name
  }
  return undefined
}

/** Thrown when rows changed between two statements. Nothing has been written; a retry sees the change. */
export class RetryError extends Error {
  override name = 'RetryError'
}

/** Classes of SQLSTATE for content that the database will always refuse: data exceptions, constraints, limits. */
const PERMANENT = /^(22|23|54)/

/**
 * True when the same work may succeed later: after a lost connection, a deadlock, a serialization failure, a full disk, a
 * shutdown, a time-out, a schema that is not migrated yet, or a RetryError. A unique violation counts as well, because
 * another transaction wrote the row first and a retry reads it.
 */
export function isTransient(error: unknown): boolean {
  if (error instanceof RetryError) return true
  const state = sqlState(error)
  if (state === undefined) return isConnectionLoss(error)
  return state === '23505' || !PERMANENT.test(state)
}

/**
 * True for a transient error that says nothing about the content: a time-out, a lock, a deadlock, a lost connection, a
 * full disk, a database that is read-only or not migrated. A unique violation, which may come again each time, is none.
 */
export function isPassingFault(error: unknown): boolean {
  return isTransient(error) && sqlState(error) !== '23505'
}

/** True when a concurrent transaction made this one fail, so that the same work, started again, can succeed at once. */
export function isConcurrencyFailure(error: unknown): boolean {
  return error instanceof RetryError || /^(40001|40P01)$/.test(sqlState(error) ?? '')
}

/**
 * True when the connection is refused for a reason that only a change of the configuration removes: the role, its
 * password, the database, TLS and certificates, or a startup parameter that a pooler does not take.
 */
export function isMisconfigured(error: unknown): boolean {
  if (adviseOnTls(error) !== undefined) return true
  const state = sqlState(error)
  if (state === '08P01') return POOLER_REFUSAL.test(messagesOf(error))
  return state !== undefined && /^(28|3D000)/.test(state)
}

/** PgBouncer gives SQLSTATE 08P01 to almost everything that it says, also while its server is away. */
const POOLER_REFUSAL = /unsupported startup|command-line options|no such (user|database)|auth/i

function messagesOf(error: unknown): string {
  return error instanceof Error ? `${error.message}\n${messagesOf(error.cause)}` : ''
}

/** True when the server could not be reached or does not accept connections. */
export function isUnreachable(error: unknown): boolean {
  if (isMisconfigured(error)) return false
  const state = sqlState(error)
  return state === undefined ? isConnectionLoss(error) : /^(08|57P0|53300)/.test(state)
}

/** True for a statement that PostgreSQL did not run because an earlier one in its transaction failed. */
export function isAborted(error: unknown): boolean {
  return sqlState(error) === '25P02'
}

function isConnectionLoss(error: unknown): boolean {
  // A certificate may expire, or change, while Usher runs.
  if (adviseOnTls(error) !== undefined) return true
  for (let e = error; e instanceof Error; e = e.cause) {
    const { code, message } = e as Error & { code?: unknown }
    if (typeof code === 'string' && /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_)/.test(code))
      return true
    if (/connection terminated|timeout|not queryable|connection error/i.test(message)) return true
    if (e instanceof AggregateError && e.errors.some(isConnectionLoss)) return true
  }
  return false
}
