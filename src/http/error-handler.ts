import type { ErrorRequestHandler, RequestHandler } from 'express'
import { ApiError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { requestIdOf } from './request-id.ts'

/** The last route, which no other route has matched. */
export const notFound: RequestHandler = () => {
  throw new ApiError('NOT_FOUND')
}

/**
 * Answers errors that no route has answered: an `ApiError` with its own status and body, an address that cannot be
 * decoded with 400. Any other error is logged and answered with 500 without a reason.
 */
export function createErrorHandler(log: Logger): ErrorRequestHandler {
  return (err: unknown, _req, res, next) => {
    const known = apiErrorOf(err)
    if (!known) log.error({ err, requestId: requestIdOf(res) }, 'a request failed')
    if (res.headersSent) return next(err)
    const { status, body } = known ?? new ApiError('INTERNAL_ERROR')
    res.status(status).json(body)
  }
}

function apiErrorOf(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error
  return error instanceof URIError ? new ApiError('BAD_REQUEST') : undefined
}
