import express, { type Express, type Router } from 'express'
import helmet from 'helmet'
import type { Logger } from '../logger.ts'
import { createErrorHandler, notFound } from './error-handler.ts'
import { assignRequestId } from './request-id.ts'

/** The API: security headers, the given routers, and an error of the common shape for every other request. */
export function createApiApp({ routers, log }: { routers: Router[]; log: Logger }): Express {
  const app = express()
  app.disable('x-powered-by')
  app.use(assignRequestId)
  app.use(helmet())
  for (const router of routers) app.use(router)
  app.use(notFound)
  app.use(createErrorHandler(log))
  return app
}
