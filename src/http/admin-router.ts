import { type Request, type RequestHandler, type Response, Router } from 'express'
import type { Db } from '../db/client.ts'
import { awaitDurable } from '../db/durable.ts'
import { readNow } from '../db/read-now.ts'
import { ApiError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { clockSkew, isWrongClock } from '../rules/clock-skew.ts'
import type { AdminEndpoint } from './admin-endpoint.ts'
import type { Answer } from './answer.ts'
import { createRoutes } from './api-router.ts'
import { isChange } from './changes.ts'
import { createDocument } from './openapi.ts'
import { readBody } from './read-request.ts'
import { adminOf } from './require-admin.ts'
import { respond } from './respond.ts'

export type AdminParts = {
  db: Db
  secretsKey: Buffer | undefined
  /** This machine's time in milliseconds; it decides nothing, but must not differ much from the database's. */
  machineTime: () => number
  log: Logger
}

/**
 * The provisioning API, and its OpenAPI document at `/admin/openapi.json`. `authenticate` is `requireAdmin`. Nothing of a
 * request but its credentials and its path is read before the caller may provision the org.
 */
export function createAdminRouter(
  endpoints: AdminEndpoint[],
  authenticate: RequestHandler,
  parts: AdminParts,
): Router {
  const router = Router()
  const document = createDocument(endpoints, [], 'Provisioning API')
  router.use('/admin', authenticate)
  router.get('/admin/openapi.json', (_req, res) => void res.json(document))
  router.use(
    createRoutes(endpoints, (endpoint, req, res) =>
      respond(endpoint, parts.log, res, () => serve(endpoint, parts, req, res)),
    ),
  )
  return router
}

async function serve(
  endpoint: AdminEndpoint,
  parts: AdminParts,
  req: Request,
  res: Response,
): Promise<Answer> {
  const { db, secretsKey } = parts
  const { actor } = adminOf(req, String(req.params.orgId))
  if (isChange(req)) await refuseWrongClock(parts)
  if (endpoint.body) await readBody(endpoint, req, res)
  const { params, query, body } = req
  const run = endpoint.prepare({ actor, secretsKey, params, query, body })
  try {
    return await run(db)
  } finally {
    await awaitDurable(db)
  }
}

/** @throws ApiError CLOCK_IS_WRONG */
async function refuseWrongClock({ db, machineTime }: AdminParts): Promise<void> {
  const asked = performance.now()
  const database = (await readNow(db)).getTime()
  const skew = clockSkew({ database, machine: machineTime(), tookMs: performance.now() - asked })
  if (isWrongClock(skew)) throw new ApiError('CLOCK_IS_WRONG')
}
