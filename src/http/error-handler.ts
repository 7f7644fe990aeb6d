import type { ErrorRequestHandler, RequestHandler } from 'express'
import { ApiError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { requestIdOf } from './request-id.ts'

/** The last route: nothing lives here. */
export const notFound: RequestHandler = () => {
  throw new ApiError('NOT_FOUND')
}

/**
 * The last resort: an `ApiError` is answered as it says, an address that cannot be decoded is 400, and all else
 * is our fault: logged, and answered 500 without a reason.
 */
export function createErrorHandler(log: Logger): ErrorRequestHandler {
  return (err: unknown, _req, res, next) => {
    const refusal = refusalOf(err)
    if (!refusal) log.error({ err, requestId: requestIdOf(res) }, 'a request failed')
    if (res.headersSent) return next(err)
    const { status, body } = refusal ?? new ApiError('INTERNAL_ERROR')
    res.status(status).json(body)
  }
}

function refusalOf(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error
  return error instanceof URIError ? new ApiError('BAD_REQUEST') : undefined
}
