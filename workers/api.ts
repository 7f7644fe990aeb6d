import type { Express, Router } from 'express'
import { chatroomEndpoints } from '../src/chatrooms/routes.ts'
import type { Config } from '../src/config.ts'
import { contactImportEndpoints } from '../src/contact-import/routes.ts'
import { contactEndpoints } from '../src/contacts/routes.ts'
import type { Database } from '../src/db/client.ts'
import type { OutboxRow } from '../src/db/schema/index.ts'
import { eventEndpoints } from '../src/event-feed/routes.ts'
import { DESCRIBED_EVENTS } from '../src/event-feed/schemas.ts'
import { eventPushRoutes } from '../src/event-push/routes.ts'
import { createApiRouter } from '../src/http/api-router.ts'
import { createApiApp } from '../src/http/app.ts'
import { createAuthenticate } from '../src/http/authenticate.ts'
import { createDocsRoutes } from '../src/http/docs.ts'
import type { Endpoint } from '../src/http/endpoint.ts'
import { createDocument } from '../src/http/openapi.ts'
import { createRateLimits } from '../src/http/rate-limit.ts'
import type { Limit } from '../src/http/rate-limit-headers.ts'
import { createRequestLimits } from '../src/http/request-limits.ts'
import type { Logger } from '../src/logger.ts'
import { messageEndpoints } from '../src/messages/routes.ts'
import { peopleEndpoints } from '../src/orgs/people-routes.ts'
import { orgEndpoints } from '../src/orgs/routes.ts'
import { outboundEndpoints } from '../src/outbound/routes.ts'
import { personalDataEndpoints } from '../src/personal-data/routes.ts'
import { routingEndpoints } from '../src/routing/routes.ts'
import { webhookEndpointRoutes } from '../src/webhook-endpoints/routes.ts'

/** All endpoints, in the order of the OpenAPI document. */
export const ENDPOINTS: Endpoint[] = [
  ...chatroomEndpoints,
  ...messageEndpoints,
  ...contactEndpoints,
  ...contactImportEndpoints,
  ...personalDataEndpoints,
  ...orgEndpoints,
  ...peopleEndpoints,
  ...routingEndpoints,
  ...outboundEndpoints,
  ...eventEndpoints,
  ...webhookEndpointRoutes,
  ...eventPushRoutes,
]

export type ApiParts = {
  db: Database['db']
  config: Pick<Config, 'jwt' | 'redis' | 'apiLimits' | 'secretsKey' | 'allowPrivateWebhooks'>
  /** Wakes the senders for outbox rows that are committed. */
  announceSends: (rows: OutboxRow[]) => void
  /** Has what happened in these orgs posted to their endpoints. */
  announceEvents: (orgIds: string[]) => void
  /** A limit of the API has refused a request. */
  onRefused: (limit: Limit['name']) => void
  /** This machine's time in milliseconds. */
  machineTime?: (() => number) | undefined
  /** Routers that come before those of the API. */
  before?: Router[]
  log: Logger
}

/** Assembles the API with its OpenAPI document and its documentation page. `close` releases its Redis connections. */
export function createApi({
  db,
  config,
  announceSends,
  announceEvents,
  onRefused,
  machineTime = Date.now,
  before = [],
  log,
}: ApiParts): { app: Express; close(): void } {
  const { jwt, redis, apiLimits: limits } = config
  if (jwt.secrets.length === 0 && jwt.jwksUrl === undefined) {
    log.warn('neither JWT_SECRET nor JWT_JWKS_URL is set: the API refuses every request')
  }
  const { limitOnce, close } = createRateLimits({ db, redis, log })
  const requests = createRequestLimits({ limits, redis, onRefused, log })
  const api = createApiRouter(ENDPOINTS, {
    db,
    authenticate: createAuthenticate(jwt, log),
    installation: config,
    limitOnce,
    countRequest: requests.count,
    announceSends,
    announceEvents,
    machineTime,
    log,
  })
  const docs = createDocsRoutes(createDocument(ENDPOINTS, DESCRIBED_EVENTS), ENDPOINTS)
  const closeAll = () => {
    close()
    requests.close()
  }
  return { app: createApiApp({ routers: [...before, docs, api], log }), close: closeAll }
}
