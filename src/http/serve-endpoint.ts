import type { Request, Response } from 'express'
import type { Db } from '../db/client.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import { ApiError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Answer } from './answer.ts'
import type { Authenticate } from './authenticate.ts'
import type { Endpoint } from './endpoint.ts'
import { answerOnce } from './idempotency.ts'
import { openOrg } from './open-org.ts'
import type { LimitOnce } from './rate-limit.ts'
import { readBody, readIdempotencyKey } from './read-request.ts'
import { requestIdOf } from './request-id.ts'

export type ApiServices = {
  db: Db
  authenticate: Authenticate
  limitOnce: LimitOnce
  /** Enqueues jobs for outbox rows that are committed. */
  announceSends: (rows: OutboxRow[]) => void
  /** This machine's time in milliseconds; it decides nothing, but must not differ much from the database's. */
  machineTime: () => number
  log: Logger
}

/**
 * Serves one request: authenticates it, authorizes it, reads and validates it, runs the handler. Nothing of the request
 * but its token and its path is read before it is authorized. Answers every error and never rejects.
 */
export async function serveEndpoint(
  endpoint: Endpoint,
  services: ApiServices,
  req: Request,
  res: Response,
): Promise<void> {
  res.set('cache-control', 'no-store')
  try {
    const { status, body } = await answer(endpoint, services, req, res)
    res.status(status)
    if (body === undefined) res.end()
    else res.json(body)
  } catch (error) {
    answerError(endpoint, services.log, res, error)
  }
}

async function answer(
  endpoint: Endpoint,
  services: ApiServices,
  req: Request,
  res: Response,
): Promise<Answer> {
  const { db, limitOnce } = services
  const caller = await services.authenticate(req.headers.authorization)
  const opened = await openOrg(db, caller, endpoint, String(req.params.orgId), services.machineTime)
  if (endpoint.body) await readBody(endpoint, req, res)
  const { params, query, body } = req
  const sends: OutboxRow[] = []
  const announceSends = (rows: OutboxRow[]) => void sends.push(...rows)
  const context = { ...opened, caller, limitOnce, announceSends }
  const run = endpoint.prepare({ ...context, params, query, body })
  const key = endpoint.idempotent ? readIdempotencyKey(endpoint, req) : undefined
  const request = [caller, endpoint.operationId, params, query, body]
  const { replayed, ...answer } =
    key === undefined
      ? { ...(await run(db)), replayed: false }
      : await answerOnce(db, { orgId: opened.org.id, key, request }, run)
  if (replayed) res.set('idempotent-replayed', 'true')
  if (sends.length > 0) services.announceSends(sends)
  return answer
}

/**
 * Answers an ApiError whose status the endpoint documents. Any other error is a bug of Usher or a failure of the
 * database: it is logged, and answered with 500 without a reason.
 */
function answerError({ errors, operationId }: Endpoint, log: Logger, res: Response, error: unknown): void {
  const documented = error instanceof ApiError && error.status in errors
  if (!documented)
    log.error({ err: error, operationId, requestId: requestIdOf(res) }, 'an API request failed')
  const answered = documented ? error : new ApiError('INTERNAL_ERROR')
  if (answered.status === 401) res.set('www-authenticate', 'Bearer')
  const seconds = answered.payload.retry_after_seconds
  if (answered.status === 429) res.set('retry-after', String(seconds))
  res.status(answered.status).json(answered.body)
}
