import { Router } from 'express'
import { ApiError } from '../errors.ts'
import { personOf } from '../http/person.ts'
import { createCustomerRoutes } from './customer/routes.tsx'
import { createDoctorRoutes } from './doctor/routes.ts'
import { createLifecycleRoutes } from './lifecycle/routes.ts'
import { createNowRoutes } from './now/routes.ts'
import { requireScope } from './scope.ts'
import { createStuckRoutes } from './stuck/routes.ts'
import { createTeamRoutes } from './team/routes.ts'
import { loadAssets } from './ui/assets.ts'
import type { ConsoleParts } from './ui/console-parts.ts'
import { createErrorPage } from './ui/error-page.tsx'
import type { ShellOf } from './ui/layout.tsx'
import { setPagePolicy } from './ui/page-policy.ts'
import { createWebhookRoutes } from './webhooks/routes.ts'

/**
 * The operator's console. Mount it at `/console`, behind the login. Every process shows the whole installation, because
 * the pages read PostgreSQL and the queue instead of the memory of the process.
 */
export function createConsole(parts: ConsoleParts): Router {
  const assets = loadAssets('/console/assets')
  const shellOf: ShellOf = (req) => {
    const person = personOf(req)
    return { assets: assets.urls, readOnly: person?.role !== 'operator', person }
  }
  const router = Router()
  router.use(setPagePolicy, requireScope())
  router.get('/assets/:hash/:name', assets.serve)
  router.use(createNowRoutes(shellOf, parts))
  router.use(createCustomerRoutes(shellOf, parts))
  router.use(createTeamRoutes(shellOf, parts))
  router.use(createStuckRoutes(shellOf, parts))
  router.use(createLifecycleRoutes(shellOf, parts))
  router.use(createWebhookRoutes(shellOf, parts))
  router.use(createDoctorRoutes(shellOf, parts))
  router.use(() => {
    throw new ApiError('NOT_FOUND')
  })
  router.use(createErrorPage(shellOf, parts.log))
  return router
}
