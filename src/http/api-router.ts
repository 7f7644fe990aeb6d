import { eq } from 'drizzle-orm'
import express, { type Request, type Response, Router } from 'express'
import type { Db } from '../db/client.ts'
import type { Org, OutboxRow } from '../db/schema/index.ts'
import { orgs } from '../db/schema/index.ts'
import { ApiError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { type Authenticate, authorize } from './auth.ts'
import type { Caller } from './caller.ts'
import { invalidInput } from './check.ts'
import type { Answer, Endpoint, LimitOnce } from './endpoint.ts'
import { answerOnce } from './idempotency.ts'
import { requestIdOf } from './request-id.ts'

export type ApiServices = {
  db: Db
  authenticate: Authenticate
  limitOnce: LimitOnce
  announceSends: (rows: OutboxRow[]) => void
  log: Logger
}

const parseJson = express.json({ limit: '1mb', strict: false, type: () => true })

/**
 * The routes of the endpoints. Each request is authenticated, then authorized, then read and validated.
 * @throws Error at start for two endpoints at one address or of one name, and for one without a policy.
 */
export function createApiRouter(endpoints: Endpoint[], services: ApiServices): Router {
  refuseDoubtful(endpoints)
  const router = Router({ caseSensitive: true })
  router.use((req, _res, next) => {
    req.url = readableUrl(req.url)
    next()
  })
  for (const endpoint of endpoints) {
    const path = endpoint.path.replace(/\{(\w+)\}/g, ':$1')
    router[endpoint.method](path, (req, res) => serve(endpoint, services, req, res))
  }
  return router
}

function refuseDoubtful(endpoints: Endpoint[]): void {
  const seen = new Set<string>()
  for (const { method, path, operationId, policy } of endpoints) {
    if (!policy) throw new Error(`${method} ${path} has no policy`)
    for (const name of [`${method} ${path.replace(/\{\w+\}/g, '{}')}`, operationId]) {
      if (seen.has(name)) throw new Error(`there are two endpoints ${name}`)
      seen.add(name)
    }
  }
}

/** Takes what is no percent-encoding literally, so that it meets the endpoint's own refusal and not Express's. */
function readableUrl(url: string): string {
  const [path = '', ...query] = url.split('?')
  const readable = path.split('/').map((part) => (isEncoded(part) ? part : encodeURIComponent(part)))
  return [readable.join('/'), ...query].join('?')
}

function isEncoded(part: string): boolean {
  try {
    decodeURIComponent(part)
    return true
  } catch {
    return false
  }
}

async function serve(endpoint: Endpoint, services: ApiServices, req: Request, res: Response): Promise<void> {
  res.set('cache-control', 'no-store')
  try {
    const { status, body } = await answer(endpoint, services, req, res)
    res.status(status)
    if (body === undefined) res.end()
    else res.json(body)
  } catch (error) {
    refuse(endpoint, services.log, res, error)
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
  const key = endpoint.idempotent ? idempotencyKey(endpoint, req) : undefined
  const request = [caller, endpoint.operationId, params, query, body]
  const { replayed, ...answer } =
    key === undefined
      ? { ...(await run(db)), replayed: false }
      : await answerOnce(db, { orgId: org.id, key, request }, run)
  if (replayed) res.set('idempotent-replayed', 'true')
  if (sends.length > 0) services.announceSends(sends)
  return answer
}

/** An org that does not exist answers as one that the token does not cover: which orgs exist is nobody's business. */
async function openOrg(db: Db, caller: Caller, { policy }: Endpoint, orgId: string): Promise<Org> {
  authorize(caller, policy, orgId)
  const [org] = await db.select().from(orgs).where(eq(orgs.id, orgId))
  if (!org) throw new ApiError('FORBIDDEN')
  return org
}

async function readBody({ errors }: Endpoint, req: Request, res: Response): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    parseJson(req, res, (error?: Error & { status?: number; type?: string }) => {
      if (error === undefined) return resolve()
      if (!error.status || error.status >= 500) return reject(error)
      const message = BODY_FAULTS[error.type ?? ''] ?? 'cannot be read'
      reject(invalidInput([{ path: 'body', message }], 422 in errors))
    })
  })
}

function idempotencyKey({ errors }: Endpoint, req: Request): string | undefined {
  const key = req.get('idempotency-key')
  if (key === undefined || IDEMPOTENCY_KEY.test(key)) return key
  const message = 'must be 1 to 255 printable ASCII characters'
  throw invalidInput([{ path: 'Idempotency-Key', message }], 422 in errors)
}

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/
const BODY_FAULTS: Record<string, string> = {
  'entity.parse.failed': 'is not JSON',
  'entity.too.large': 'is larger than 1 MB',
}

/** An error of ours in its documented status; anything else is our bug: logged, and 500 without a reason. */
function refuse({ errors, operationId }: Endpoint, log: Logger, res: Response, error: unknown): void {
  const documented = error instanceof ApiError && error.status in errors
  if (!documented)
    log.error({ err: error, operationId, requestId: requestIdOf(res) }, 'an API request failed')
  const refusal = documented ? error : new ApiError('INTERNAL_ERROR')
  if (refusal.status === 401) res.set('www-authenticate', 'Bearer')
  const seconds = refusal.payload.retry_after_seconds
  if (refusal.status === 429) res.set('retry-after', String(seconds))
  res.status(refusal.status).json(refusal.body)
}
