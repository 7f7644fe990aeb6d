import { Router } from 'express'
import { readNow } from '../../db/read-now.ts'
import { readHeartbeats } from '../../heartbeats/read-heartbeats.ts'
import { orgsOf } from '../../http/person.ts'
import type { ConsoleParts } from '../ui/console-parts.ts'
import type { ShellOf } from '../ui/layout.tsx'
import { listOrgs } from '../ui/list-orgs.ts'
import { readPageQuery } from '../ui/page-query.ts'
import { sendPage } from '../ui/send-page.ts'
import { createCensus } from './census.ts'
import { listMovedNumbers } from './moved-numbers.ts'
import { renderLifecycle } from './page.tsx'
import { listRemovedUsers } from './removed-users.ts'

/** `GET /console/lifecycle`. */
export function createLifecycleRoutes(shellOf: ShellOf, { db, log }: ConsoleParts): Router {
  const counts = createCensus({ db, log })
  const router = Router()

  router.get('/lifecycle', async (req, res) => {
    const { org: orgId } = readPageQuery(req)
    const now = await readNow(db)
    const shown = orgId === undefined ? orgsOf(req) : [orgId]
    const [orgs, { sweeps }, census, movedNumbers, removedUsers] = await Promise.all([
      listOrgs(db, orgsOf(req)),
      orgsOf(req) === undefined ? readHeartbeats(db) : { sweeps: undefined },
      counts.read(now),
      listMovedNumbers(db, shown),
      listRemovedUsers(db, shown),
    ])
    const page = { orgs, orgId, sweeps, census, movedNumbers, removedUsers, now }
    await sendPage(db, res, renderLifecycle(shellOf(req), page))
  })

  return router
}
