import { sqlState } from '../db/pg-errors.ts'

/**
 * The error to keep with a failed job. BullMQ stores the message and stack of a failure, and those of a database error
 * can contain the values of rows: such an error is replaced by one that has its SQLSTATE only.
 */
export function withoutValues(error: unknown): unknown {
  const state = sqlState(error)
  const isQuery = error instanceof Error && error.message.startsWith('Failed query')
  return state || isQuery ? new Error(`database error ${state ?? ''}`.trimEnd(), { cause: error }) : error
}
