import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'
import { SignJWT } from 'jose'
import { expect } from 'vitest'
import type { Config } from '../../src/config.ts'
import type { Database } from '../../src/db/client.ts'
import type { OutboxRow } from '../../src/db/schema/index.ts'
import type { ErrorBody } from '../../src/errors.ts'
import { createApiRouter } from '../../src/http/api-router.ts'
import { createApiApp } from '../../src/http/app.ts'
import { createAuthenticate } from '../../src/http/authenticate.ts'
import type { Endpoint } from '../../src/http/endpoint.ts'
import { createRateLimits } from '../../src/http/rate-limit.ts'
import type { Installation } from '../../src/installation.ts'
import { createLogger } from '../../src/logger.ts'
import { createApi, ENDPOINTS } from '../../workers/api.ts'
import { atEndOf } from './at-end.ts'
import { type Reply, send } from './http.ts'

export const JWT_SECRET = 'a secret of the tests with 32 bytes or more'

/** What an answer's body holds is asserted by the tests, field by field. */
// biome-ignore lint/suspicious/noExplicitAny: JSON
export type ApiReply = { status: number; headers: Record<string, unknown>; body: any }

export type ApiCall = {
  /** Claims of the token; a string is sent as the whole Authorization header, null sends none. */
  as?: Claims | string | null
  /** Sent as JSON; a string or bytes are sent as they are. */
  body?: unknown
  headers?: Record<string, string>
}

export type Claims = { org: string; role?: string; user?: string; act?: string; partner?: string }

export type TestApi = {
  url: string
  app: Express
  /** Lines of the log, parsed. */
  logged: Record<string, unknown>[]
  /** Sends a request, by default as an ADMIN of the path's org, and asserts that the answer is a documented one. */
  call(method: string, path: string, call?: ApiCall): Promise<ApiReply>
}

/** The outbox rows that the API has announced to the queue, in this test file. */
export const announced: OutboxRow[] = []

const SECRETS_KEY = randomBytes(32)

/** The orgs in which the API says that something may have happened. */
export const announcedOrgs: string[] = []
const announceEvents = (orgIds: string[]) => void announcedOrgs.push(...orgIds)
const announceSends = (rows: OutboxRow[]) => void announced.push(...rows)

/** The limits of the API that have refused a request, in this test file. */
export const refusedBy: string[] = []
const onRefused = (limit: string) => void refusedBy.push(limit)

type Options = { jwt?: Partial<Config['jwt']>; machineTime?: () => number } & Partial<
  Pick<Config, 'redis' | 'apiLimits'>
> &
  Partial<Installation>
const UNLIMITED = { org: 0, token: 0 }

/** The whole API on a free port, against a test database. */
export async function startTestApi(db: Database['db'], options: Options = {}): Promise<TestApi> {
  const { log, logged } = memoryLog()
  const stores = { redis: options.redis, apiLimits: options.apiLimits ?? UNLIMITED }
  const config = { jwt: jwtConfig(options), ...stores, ...installationOf(options) }
  const { app, close } = createApi({
    ...{ db, config, announceSends, announceEvents, onRefused, machineTime: options.machineTime, log },
  })
  atEndOf('file', close)
  return listen(app, ENDPOINTS, logged)
}

/** Endpoints of a test, served as the API serves its own. */
export async function serveEndpoints(
  db: Database['db'],
  endpoints: Endpoint[],
  options: Options = {},
): Promise<TestApi> {
  const { log, logged } = memoryLog()
  const { limitOnce, close } = createRateLimits({ db, redis: undefined, log })
  atEndOf('file', close)
  const authenticate = createAuthenticate(jwtConfig(options), log)
  const router = createApiRouter(endpoints, {
    db,
    authenticate,
    installation: installationOf(options),
    limitOnce,
    countRequest: async () => undefined,
    announceSends,
    announceEvents,
    machineTime: Date.now,
    log,
  })
  return listen(createApiApp({ routers: [router], log }), endpoints, logged)
}

/** A development token, as `npm run token` makes them. */
export async function mint({ org, role = 'ADMIN', user = 'ann', act, partner }: Claims): Promise<string> {
  const orgs = partner ? { partner_id: partner, org_ids: org.split(',') } : { org_id: org }
  return new SignJWT({ role, ...orgs, ...(act && { act: { sub: act } }) })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime('1 hour')
    .sign(new TextEncoder().encode(JWT_SECRET))
}

/** Fails unless the endpoint documents the status, and an error has the shape that all errors share. */
export function expectDocumented(
  endpoints: Endpoint[],
  method: string,
  path: string,
  { status, body }: ApiReply,
): void {
  const endpoint = endpoints.find((e) => e.method === method.toLowerCase() && matches(e.path, path))
  if (!endpoint) return
  const documented = Object.keys({ ...endpoint.responses, ...endpoint.errors }).map(Number)
  expect(documented, `${method} ${endpoint.path} answered ${status}`).toContain(status)
  if (status >= 400) expectError(status, body)
}

function expectError(status: number, body: ErrorBody): void {
  expect(Object.keys(body).sort()).toEqual(['error_code', 'error_description', 'error_message', 'payload'])
  expect(Math.floor(body.error_code / 10_000)).toBe(status)
  expect(body.error_description).not.toBe('')
  expect(JSON.stringify(body)).not.toMatch(/\bat .*\.[jt]s:\d+/)
}

/** Every route that an app really has, with `{name}` for its parameters. */
export function routesOf(app: Express): { method: string; path: string }[] {
  const layers = (app as object as { router: { stack: Layer[] } }).router.stack
  return layers.flatMap(function routes({ route, handle }: Layer): { method: string; path: string }[] {
    if (!route) return (handle.stack ?? []).flatMap(routes)
    const paths = [route.path]
      .flat()
      .map((path) => path.replace(/(?<!\\):(\w+)/g, '{$1}').replaceAll('\\:', ':'))
    return paths.flatMap((path) => Object.keys(route.methods).map((method) => ({ method, path })))
  })
}

type Layer = {
  route?: { path: string | string[]; methods: Record<string, boolean> }
  handle: { stack?: Layer[] }
}

async function listen(
  app: Express,
  endpoints: Endpoint[],
  logged: Record<string, unknown>[],
): Promise<TestApi> {
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEndOf('file', () => server.close().closeAllConnections())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const call: TestApi['call'] = async (method, path, { as, body, headers = {} } = {}) => {
    const authorization = await authorizationOf(as === undefined ? { org: orgOf(path) } : as)
    const raw = typeof body === 'string' || Buffer.isBuffer(body) || body === undefined
    const reply = await send(url + path, {
      method,
      headers: {
        ...(authorization !== null && { authorization }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: raw ? body : JSON.stringify(body) }),
    })
    const answered = { ...reply, body: parseBody(reply) }
    expectDocumented(endpoints, method, path, answered)
    return answered
  }
  return { url, app, logged, call }
}

/** A body of JSON, or the list of the lines of one of NDJSON. */
function parseBody({ headers, body }: Reply): unknown {
  if (body === '') return undefined
  if (headers['content-type'] !== 'application/x-ndjson') return JSON.parse(body)
  return body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

async function authorizationOf(as: Claims | string | null): Promise<string | null> {
  return as === null || typeof as === 'string' ? as : `Bearer ${await mint(as)}`
}

function orgOf(path: string): string {
  return decodeURIComponent(/\/orgs?\/([^/?]+)/.exec(path)?.[1] ?? '')
}

function matches(pattern: string, path: string): boolean {
  const source = pattern.replace(/\{\w+\}/g, '[^/]+')
  return new RegExp(`^${source}/?(\\?|$)`).test(path)
}

function jwtConfig({ jwt }: Options): Config['jwt'] {
  return { secrets: [JWT_SECRET], jwksUrl: undefined, issuer: undefined, audience: undefined, ...jwt }
}

function installationOf({ jwt, machineTime, redis, apiLimits, ...installation }: Options): Installation {
  return { secretsKey: SECRETS_KEY, allowPrivateWebhooks: false, ...installation }
}

function memoryLog() {
  const logged: Record<string, unknown>[] = []
  const write = (line: string) => void logged.push(JSON.parse(line))
  const log = createLogger({ logLevel: 'info' }, { write })
  return { log, logged }
}
