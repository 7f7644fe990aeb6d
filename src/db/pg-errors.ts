/** SQLSTATE of a PostgreSQL error, also when a library wrapped it; undefined for anything else. */
export function sqlState(error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause) {
    const code = (e as Error & { code?: unknown }).code
    if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return code
  }
  return undefined
}

/** Name of the constraint that refused a statement, if one did. */
export function violatedConstraint(error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause) {
    const name = (e as Error & { constraint?: unknown }).constraint
    if (typeof name === 'string') return name
  }
  return undefined
}

/** Thrown when the world changed between two statements: nothing has been written, and a second look sees it. */
export class RetryError extends Error {
  override name = 'RetryError'
}

/** Classes of SQLSTATE that say "this content will never fit": data exceptions, constraints, limits. */
const PERMANENT = /^(22|23|54)/

/**
 * True when the same statement may succeed later: lost connections, deadlocks, serialization failures, full
 * disks, shutdowns, time-outs, a schema that is not migrated yet, a RetryError. A unique violation counts too:
 * somebody else was first, and a second look sees it.
 */
export function isTransient(error: unknown): boolean {
  if (error instanceof RetryError) return true
  const state = sqlState(error)
  if (state === undefined) return isConnectionLoss(error)
  return state === '23505' || !PERMANENT.test(state)
}

/** True when the server could not be reached or takes no connections yet, whatever was asked of it. */
export function isUnreachable(error: unknown): boolean {
  const state = sqlState(error)
  return state === undefined ? isConnectionLoss(error) : /^(08|57P0|53300)/.test(state)
}

/** True for a statement that was not even looked at, since one before it in its transaction failed. */
export function isAborted(error: unknown): boolean {
  return sqlState(error) === '25P02'
}

function isConnectionLoss(error: unknown): boolean {
  for (let e = error; e instanceof Error; e = e.cause) {
    const { code, message } = e as Error & { code?: unknown }
    if (typeof code === 'string' && /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_)/.test(code))
      return true
    if (/connection terminated|timeout|not queryable|connection error/i.test(message)) return true
    if (e instanceof AggregateError && e.errors.some(isConnectionLoss)) return true
  }
  return false
}
