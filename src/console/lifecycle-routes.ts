import { Router } from 'express'
import { readHeartbeats } from '../heartbeats/read-heartbeats.ts'
import { createCensus } from './census.ts'
import type { Shell } from './layout.tsx'
import { renderLifecycle } from './lifecycle-page.tsx'
import { listOrgs } from './list-orgs.ts'
import { readQuestion } from './question.ts'
import type { ConsoleParts } from './routes.ts'

/** `GET /console/lifecycle`. */
export function createLifecycleRoutes(shell: Shell, { db, log, now }: ConsoleParts): Router {
  const counts = createCensus({ db, log, now })
  const router = Router()

  router.get('/lifecycle', async (req, res) => {
    const { org: orgId } = readQuestion(req)
    const [orgs, { sweeps }, census] = await Promise.all([listOrgs(db), readHeartbeats(db), counts.read()])
    res.type('html').send(renderLifecycle(shell, { orgs, orgId, sweeps, census, now: now() }))
  })

  return router
}
