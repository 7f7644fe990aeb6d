import type { RequestListener } from 'node:http'
import express, { type Express, type Router } from 'express'
import helmet from 'helmet'
import type { Logger } from '../logger.ts'
import { createErrorHandler, notFound } from './error-handler.ts'
import { nameRequest } from './request-id.ts'

const WEBHOOK = /^\/webhooks\/whatsapp\/?(\?|$)/

/**
 * What the public listener runs: the webhook goes straight to the receiver, since Express would cost it most of
 * its speed; everything else goes to the app.
 */
export function createPublicHandler({
  receiver,
  app,
}: {
  receiver: RequestListener
  app: Express
}): RequestListener {
  return (req, res) => (WEBHOOK.test(req.url ?? '') ? receiver(req, res) : app(req, res))
}

/** The API: security headers, the given routers, and an answer of the common error shape for everything else. */
export function createApiApp({ routers, log }: { routers: Router[]; log: Logger }): Express {
  const app = express()
  app.disable('x-powered-by')
  app.use(nameRequest)
  app.use(helmet())
  for (const router of routers) app.use(router)
  app.use(notFound)
  app.use(createErrorHandler(log))
  return app
}
