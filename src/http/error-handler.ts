import type { ErrorRequestHandler, RequestHandler, Response } from 'express'
import type { Logger } from '../logger.ts'

/**
 * Answers with the error shape every endpoint shares. `error_code` is status x 10,000 + `n`; the description is
 * for people and carries nothing that came from outside.
 */
export function answerError(
  res: Response,
  status: number,
  n: number,
  { message, description }: { message: string; description: string },
): void {
  res.status(status).json({
    error_code: status * 10_000 + n,
    error_message: message,
    error_description: description,
    payload: {},
  })
}

/** The last route: nothing lives here. */
export const notFound: RequestHandler = (_req, res) =>
  answerError(res, 404, 1, { message: 'NOT_FOUND', description: 'There is nothing at this address.' })

/**
 * The last resort. What the client did wrong before any route saw it (a malformed address) is 400; all else is
 * logged and answered 500, without a stack or a message.
 */
export function createErrorHandler(log: Logger): ErrorRequestHandler {
  return (err: unknown, _req, res, next) => {
    if (isBadRequest(err)) {
      const description = 'The request could not be understood.'
      return answerError(res, 400, 1, { message: 'BAD_REQUEST', description })
    }
    log.error({ err }, 'a request failed')
    if (res.headersSent) return next(err)
    answerError(res, 500, 1, {
      message: 'INTERNAL_SERVER_ERROR',
      description: 'Something went wrong on our side.',
    })
  }
}

function isBadRequest(error: unknown): boolean {
  return error instanceof URIError
}
