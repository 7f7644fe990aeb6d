import { violatedConstraint } from '../db/pg-errors.ts'
import { ApiError, type ErrorName } from '../errors.ts'

/**
 * Runs `work`; should it meet the last wall, the unique index that allows one active chatroom per number and
 * customer, the caller hears `error` and no server error.
 */
export async function refusingSecondActive<T>(error: ErrorName, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (violatedConstraint(cause) === 'chatrooms_one_active') throw new ApiError(error)
    throw cause
  }
}
