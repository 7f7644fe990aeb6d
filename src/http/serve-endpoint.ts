import { eq } from 'drizzle-orm'
import type { Request, Response } from 'express'
import type { Db } from '../db/client.ts'
import type { Org, OutboxRow } from '../db/schema/index.ts'
import { orgs } from '../db/schema/index.ts'
import { ApiError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Answer } from './answer.ts'
import type { Authenticate } from './authenticate.ts'
import type { Caller } from './caller.ts'
import type { Endpoint } from './endpoint.ts'
import { answerOnce } from './idempotency.ts'
import { authorize } from './policy.ts'
import type { LimitOnce } from './rate-limit.ts'
import { readBody, readIdempotencyKey } from './read-request.ts'
import { requestIdOf } from './request-id.ts'

export type ApiServices = {
  db: Db
  authenticate: Authenticate
  limitOnce: LimitOnce
  /** Enqueues jobs for outbox rows that are committed. */
  announceSends: (rows: OutboxRow[]) => void
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
  const org = await openOrg(db, caller, endpoint, String(req.params.orgId))
  if (endpoint.body) await readBody(endpoint, req, res)
  const { params, query, body } = req
  const sends: OutboxRow[] = []
  const announceSends = (rows: OutboxRow[]) => void sends.push(...rows)
  const context = { org, caller, now: new Date(), limitOnce, announceSends }
  const run = endpoint.prepare({ ...context, params, query, body })
  const key = endpoint.idempotent ? readIdempotencyKey(endpoint, req) : undefined
  const request = [caller, endpoint.operationId, params, query, body]
  const { replayed, ...answer } =
    key === undefined
      ? { ...(await run(db)), replayed: false }
      : await answerOnce(db, { orgId: org.id, key, request }, run)
  if (replayed) res.set('idempotent-replayed', 'true')
  if (sends.length > 0) services.announceSends(sends)
  return answer
}

/** An org that does not exist is answered like one that the token does not cover, so that callers cannot probe for orgs. */
async function openOrg(db: Db, caller: Caller, { policy }: Endpoint, orgId: string): Promise<Org> {
  authorize(caller, policy, orgId)
  const [org] = await db.select().from(orgs).where(eq(orgs.id, orgId))
  if (!org) throw new ApiError('FORBIDDEN')
  return org
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
