import type { Response } from 'express'
import { ApiError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Answer } from './answer.ts'
import type { Described } from './endpoint.ts'
import { requestIdOf } from './request-id.ts'
import { sendLines } from './send-lines.ts'

type Operation = Pick<Described, 'errors' | 'operationId'>

/** Answers a request with what `work` gives, or with the error that it throws. Never rejects. */
export async function respond(
  operation: Operation,
  log: Logger,
  res: Response,
  work: () => Promise<Answer>,
): Promise<void> {
  res.set('cache-control', 'no-store')
  try {
    const { status, body, pages } = await work()
    res.status(status)
    if (pages) await sendLines(res, pages)
    else if (body === undefined) res.end()
    else res.json(body)
  } catch (error) {
    answerError(operation, log, res, error)
  }
}

/**
 * Answers an ApiError whose status the endpoint documents. The original endpoints document no 503, so they answer 500
 * with the reason. Any other error is a bug of Usher or a failure of the database: it is logged, and answered with 500
 * without a reason. An answer that has begun is cut off.
 */
function answerError({ errors, operationId }: Operation, log: Logger, res: Response, error: unknown): void {
  const documented = documentedError(errors, error)
  if (!documented)
    log.error({ err: error, operationId, requestId: requestIdOf(res) }, 'an API request failed')
  if (res.headersSent) return void res.destroy()
  const answered = documented ?? new ApiError('INTERNAL_ERROR')
  if (answered.status === 401) res.set('www-authenticate', 'Bearer')
  const seconds = answered.payload.retry_after_seconds
  if (answered.status === 429) res.set('retry-after', String(seconds))
  res.status(answered.status).json(answered.body)
}

function documentedError(errors: Operation['errors'], error: unknown): ApiError | undefined {
  if (!(error instanceof ApiError)) return undefined
  if (error.status in errors) return error
  return error.status === 503 ? new ApiError('INTERNAL_ERROR', error.message) : undefined
}
