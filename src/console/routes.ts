import { Router } from 'express'
import { ApiError } from '../errors.ts'
import { createCustomerRoutes } from './customer/routes.tsx'
import { createDoctorRoutes } from './doctor/routes.ts'
import { createLifecycleRoutes } from './lifecycle/routes.ts'
import { createNowRoutes } from './now/routes.ts'
import { createStuckRoutes } from './stuck/routes.ts'
import { createTeamRoutes } from './team/routes.ts'
import { loadAssets } from './ui/assets.ts'
import type { ConsoleParts } from './ui/console-parts.ts'
import { createErrorPage } from './ui/error-page.tsx'
import type { Shell } from './ui/layout.tsx'
import { createWebhookRoutes } from './webhooks/routes.ts'

/** Pages load files of this origin only, have no inline script or style, and cannot be framed. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  ...['script-src', 'style-src', 'img-src', 'connect-src', 'form-action'].map((what) => `${what} 'self'`),
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/**
 * The operator's console. Mount it at `/console`, behind the login. Every process shows the whole installation, because
 * the pages read PostgreSQL and the queue instead of the memory of the process.
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
  router.use(createTeamRoutes(shell, parts))
  router.use(createStuckRoutes(shell, parts))
  router.use(createLifecycleRoutes(shell, parts))
  router.use(createWebhookRoutes(shell, parts))
  router.use(createDoctorRoutes(shell, parts))
  router.use(() => {
    throw new ApiError('NOT_FOUND')
  })
  router.use(createErrorPage(shell, parts.log))
  return router
}
