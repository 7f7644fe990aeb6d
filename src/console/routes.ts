import type { Queue } from 'bullmq'
import { Router } from 'express'
import type { Db } from '../db/client.ts'
import { ApiError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { loadAssets } from './assets.ts'
import { createCustomerRoutes } from './customer-routes.ts'
import { createErrorPage } from './error-page.tsx'
import type { Shell } from './layout.tsx'
import { createLifecycleRoutes } from './lifecycle-routes.ts'
import { createNowRoutes } from './now-routes.ts'
import { createStuckRoutes } from './stuck-routes.ts'

export type ConsoleParts = {
  db: Db
  /** The queues that exist at the moment. */
  queues: () => Queue[]
  /** Tells the queue of deliveries to route; false when it may not know. Has a deadline and never rejects. */
  enqueue: (ids: number[]) => Promise<boolean>
  /** Pages show no button that changes anything; the login refuses it too. */
  readOnly: boolean
  log: Logger
  now: () => Date
}

/** Nothing inline, nothing from elsewhere, framed by nobody. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  ...['script-src', 'style-src', 'img-src', 'connect-src', 'form-action'].map((what) => `${what} 'self'`),
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/**
 * The operator's console, to be mounted at `/console` behind the login: every page says what the whole installation
 * does, whichever process is asked, since it reads PostgreSQL and the queue.
 */
export function createConsole(parts: ConsoleParts): Router {
  const assets = loadAssets('/console/assets')
  const shell: Shell = { assets: assets.urls, readOnly: parts.readOnly }
  const router = Router()
  router.use((_req, res, next) => {
    res.set('content-security-policy', CONTENT_SECURITY_POLICY)
    next()
  })
  router.get('/assets/:hash/:name', assets.serve)
  router.use(createNowRoutes(shell, parts))
  router.use(createCustomerRoutes(shell, parts))
  router.use(createStuckRoutes(shell, parts))
  router.use(createLifecycleRoutes(shell, parts))
  router.use(() => {
    throw new ApiError('NOT_FOUND')
  })
  router.use(createErrorPage(shell, parts.log))
  return router
}
