import type { Queue } from 'bullmq'
import express, { type Express, type RequestHandler } from 'express'
import helmet from 'helmet'
import type { Registry } from 'prom-client'
import { createLoginRoutes } from '../src/console/login/routes.ts'
import { createSessions } from '../src/console/login/sessions.ts'
import { createConsole } from '../src/console/routes.ts'
import type { ConsoleParts } from '../src/console/ui/console-parts.ts'
import { within } from '../src/deadline.ts'
import type { AuthenticateAdmin } from '../src/http/admin-auth.ts'
import { type AdminParts, createAdminRouter } from '../src/http/admin-router.ts'
import { createDashboard } from '../src/http/dashboard.ts'
import { createErrorHandler, notFound } from '../src/http/error-handler.ts'
import { type OpsLogin, requireAllOrgs, requireLogin } from '../src/http/login.ts'
import { personOf } from '../src/http/person.ts'
import { type ReadinessParts, readiness } from '../src/http/readiness.ts'
import { assignRequestId } from '../src/http/request-id.ts'
import { requireAdmin } from '../src/http/require-admin.ts'
import { createDeadLetterRoutes, type DeadLetterParts } from '../src/inbox/dead-letter-routes.ts'
import type { Logins } from '../src/logins/logins.ts'
import { ADMIN_ENDPOINTS } from './admin.ts'
import { mergeMetrics } from './split/merge-metrics.ts'
import type { MetricValues } from './split/messages.ts'

export type OpsParts = DeadLetterParts &
  Pick<ConsoleParts, 'examine' | 'installation'> &
  ReadinessParts & {
    registry: Registry
    /** Reads the metrics of the process of the workers, which are shown together with those of the registry. */
    readOtherMetrics?: (() => Promise<MetricValues>) | undefined
    /** Reads the current values of the gauges; called at each scrape, which waits at most a second for it. */
    refreshGauges: () => Promise<void>
    /** The queues that are open at the time of the call. */
    queues: () => Queue[]
    /** The queues for Bull Board; none while their store is away. */
    boardQueues: () => Promise<Queue[]>
    /** The queues are on Redis. */
    hasRedis: boolean
    login: OpsLogin
    /** The people who may log in on the login page; undefined: there is none. */
    logins: Logins | undefined
    /** Whoever is logged in may read everything and change nothing. */
    readOnly: boolean
    /** Who may provision, by a bearer token. */
    authenticateAdmin: AuthenticateAdmin
    /** This machine's time in milliseconds. */
    machineTime: () => number
  }

const DEADLINE_MS = 1_000

/** Bull Board needs inline styles. Its inline data block (`application/json`) is not a script, so it needs no permission. */
const CONTENT_SECURITY_POLICY = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    objectSrc: ["'none'"],
    baseUri: ["'self'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
  },
}

/**
 * The app of the internal listener: `/live`, `/ready` and `/metrics` without a login; `/login` and `/logout`, if people can
 * log in there; `/queues` (Bull Board), `/console` and `/dead-letters` with a login, `/admin` (provisioning)
 * with a token or a login; `/` leads to the console. Every other
 * path is answered with 404.
 */
export function createOpsApp(parts: OpsParts): Express {
  const { login, logins, readOnly, authenticateAdmin, log } = parts
  const app = express()
  app.disable('x-powered-by')
  app.use(assignRequestId)
  // The internal listener is plain HTTP, so it must not send `Strict-Transport-Security`.
  app.use(helmet({ contentSecurityPolicy: CONTENT_SECURITY_POLICY, strictTransportSecurity: false }))
  app.get('/', (_req, res) => res.redirect('/console'))
  app.get('/live', (_req, res) => res.json({ status: 'live' }))
  app.get('/ready', readiness(parts))
  app.get('/metrics', scrape(parts))
  if (logins) app.use(createLoginRoutes({ logins, log }))
  const sessions = logins && createSessions(logins)
  const logged = { login, sessions, readOnly, log }
  app.use(
    createAdminRouter(ADMIN_ENDPOINTS, requireAdmin({ ...logged, authenticateAdmin }), adminParts(parts)),
  )
  app.use(['/queues', '/dead-letters', '/console'], requireLogin(logged))
  app.use('/queues', requireAllOrgs, dashboard(parts))
  app.use('/dead-letters', requireAllOrgs, createDeadLetterRoutes(parts))
  app.use('/console', createConsole(parts))
  app.use(notFound)
  app.use(createErrorHandler(log))
  return app
}

function adminParts({ db, installation: { secretsKey }, machineTime, log }: OpsParts): AdminParts {
  return { db, secretsKey, machineTime, log }
}

/** Bull Board as the role of the person has it: in its read-only mode for a viewer. */
function dashboard({ boardQueues: queues, hasRedis }: OpsParts): RequestHandler {
  const [forViewers, forOperators] = [true, false].map((readOnly) =>
    createDashboard({ path: '/queues', queues, readOnly, hasRedis }),
  ) as [RequestHandler, RequestHandler]
  return (req, res, next) =>
    personOf(req)?.role === 'operator' ? forOperators(req, res, next) : forViewers(req, res, next)
}

/** Counters must be readable during an outage, so gauges that cannot be refreshed keep their last value. */
function scrape({ registry, readOtherMetrics, refreshGauges, log }: OpsParts): RequestHandler {
  return async (_req, res) => {
    await within(DEADLINE_MS, refreshGauges).catch((err) =>
      log.warn({ err }, 'the gauges could not be refreshed'),
    )
    const others = await readOtherMetrics?.()
    const text = others ? await mergeMetrics(registry, others) : await registry.metrics()
    res.set('content-type', registry.contentType).end(text)
  }
}
