import type { Request, Response } from 'express'
import type { Db } from '../db/client.ts'
import { awaitDurable } from '../db/durable.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import type { Installation } from '../installation.ts'
import type { Logger } from '../logger.ts'
import type { Answer } from './answer.ts'
import type { Authenticate } from './authenticate.ts'
import type { Caller } from './caller.ts'
import type { Endpoint } from './endpoint.ts'
import { answerOnce } from './idempotency.ts'
import { type OpenedOrg, openOrg } from './open-org.ts'
import { authorize } from './policy.ts'
import type { LimitOnce } from './rate-limit.ts'
import { readBody, readIdempotencyKey } from './read-request.ts'
import type { RequestLimits } from './request-limits.ts'
import { respond } from './respond.ts'

export type ApiServices = {
  db: Db
  authenticate: Authenticate
  installation: Installation
  limitOnce: LimitOnce
  countRequest: RequestLimits['count']
  /** Enqueues jobs for outbox rows that are committed. */
  announceSends: (rows: OutboxRow[]) => void
  /** Has what happened in these orgs posted to their endpoints. */
  announceEvents: (orgIds: string[]) => void
  /** This machine's time in milliseconds; it decides nothing, but must not differ much from the database's. */
  machineTime: () => number
  log: Logger
}

/**
 * Serves one request: authenticates it, authorizes it, counts it under the limits, reads and validates it, runs the
 * handler. Nothing of the request
 * but its token and its path is read before it is authorized. Answers every error and never rejects.
 */
export async function serveEndpoint(
  endpoint: Endpoint,
  services: ApiServices,
  req: Request,
  res: Response,
): Promise<void> {
  await respond(endpoint, services.log, res, () => answer(endpoint, services, req, res))
}

async function answer(
  endpoint: Endpoint,
  services: ApiServices,
  req: Request,
  res: Response,
): Promise<Answer> {
  const { db, authenticate, countRequest, machineTime } = services
  const caller = await authenticate(req.headers.authorization)
  const orgId = String(req.params.orgId)
  authorize(caller, endpoint.policy, orgId)
  await countRequest({ endpoint, orgId, caller }, res)
  const opened = await openOrg(db, caller, endpoint, orgId, machineTime)
  try {
    return await perform(endpoint, services, { ...opened, caller }, req, res)
  } finally {
    // An answer, and an error that names what it found, show nothing that a crash of PostgreSQL can undo.
    await awaitDurable(db)
  }
}

async function perform(
  endpoint: Endpoint,
  services: ApiServices,
  opened: OpenedOrg & { caller: Caller },
  req: Request,
  res: Response,
): Promise<Answer> {
  const { db, limitOnce, installation } = services
  const { userId, partnerId, actorId } = opened.caller
  if (endpoint.body) await readBody(endpoint, req, res)
  const { params, query, body } = req
  const sends: OutboxRow[] = []
  const announceSends = (rows: OutboxRow[]) => void sends.push(...rows)
  const context = { ...opened, installation, limitOnce, announceSends }
  const run = endpoint.prepare({ ...context, params, query, body })
  const key = endpoint.idempotent ? readIdempotencyKey(endpoint, req) : undefined
  // The orgs and the role that a token covers may change between a request and its repetition.
  const request = [{ userId, partnerId, actorId }, endpoint.operationId, params, query, body]
  const { replayed, ...answer } =
    key === undefined
      ? { ...(await run(db)), replayed: false }
      : await answerOnce(db, { orgId: opened.org.id, key, request, shownOnce: endpoint.shownOnce }, run)
  if (replayed) res.set('idempotent-replayed', 'true')
  if (sends.length > 0) services.announceSends(sends)
  if (endpoint.method !== 'get') services.announceEvents([opened.org.id])
  return answer
}
