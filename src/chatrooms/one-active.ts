import { violatedConstraint } from '../db/pg-errors.ts'
import { ApiError, type ErrorName } from '../errors.ts'

/**
 * Runs `work`. When the unique index that allows one active chatroom for a number and a customer refuses it, the caller
 * gets the API error `error` and no server error.
 */
export async function refusingSecondActive<T>(error: ErrorName, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (violatedConstraint(cause) === 'chatrooms_one_active') throw new ApiError(error)
    throw cause
  }
}
