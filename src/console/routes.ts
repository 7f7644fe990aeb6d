import { Router } from 'express'
import { ApiError } from '../errors.ts'
import { createCustomerRoutes } from './customer/routes.ts'
import { createLifecycleRoutes } from './lifecycle/routes.ts'
import { createNowRoutes } from './now/routes.ts'
import { createStuckRoutes } from './stuck/routes.ts'
import { loadAssets } from './ui/assets.ts'
import type { ConsoleParts } from './ui/console-parts.ts'
import { createErrorPage } from './ui/error-page.tsx'
import type { Shell } from './ui/layout.tsx'

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
