import type { Express } from 'express'
import { chatroomEndpoints } from '../chatrooms/routes.ts'
import type { Config } from '../config.ts'
import { contactEndpoints } from '../contacts/routes.ts'
import type { Database } from '../db/client.ts'
import type { Logger } from '../logger.ts'
import { orgEndpoints } from '../orgs/routes.ts'
import type { OutboxRow } from '../outbound/queue-messages.ts'
import { outboundEndpoints } from '../outbound/routes.ts'
import { routingEndpoints } from '../routing/routes.ts'
import { createApiRouter } from './api-router.ts'
import { createApiApp } from './app.ts'
import { createAuthenticate } from './auth.ts'
import { createDocsRoutes } from './docs.ts'
import type { Endpoint } from './endpoint.ts'
import { createDocument } from './openapi.ts'
import { createRateLimits } from './rate-limit.ts'

/** Every endpoint there is, in the order of the document. */
export const ENDPOINTS: Endpoint[] = [
  ...chatroomEndpoints,
  ...contactEndpoints,
  ...orgEndpoints,
  ...routingEndpoints,
  ...outboundEndpoints,
]

export type ApiParts = {
  db: Database['db']
  config: Pick<Config, 'jwt' | 'redisUrls'>
  /** Tells the queue of messages to send. */
  announceSends: (rows: OutboxRow[]) => void
  log: Logger
}

/** The API, its document and its docs, and how to let go of what it holds. */
export function createApi({ db, config, announceSends, log }: ApiParts): { app: Express; close(): void } {
  const { jwt, redisUrls } = config
  if (jwt.secrets.length === 0 && jwt.jwksUrl === undefined) {
    log.warn('neither JWT_SECRET nor JWT_JWKS_URL is set: the API refuses every request')
  }
  const { limitOnce, close } = createRateLimits({ db, redisUrls, log })
  const api = createApiRouter(ENDPOINTS, {
    db,
    authenticate: createAuthenticate(jwt),
    limitOnce,
    announceSends,
    log,
  })
  const docs = createDocsRoutes(createDocument(ENDPOINTS))
  return { app: createApiApp({ routers: [docs, api], log }), close }
}
