import { Router } from 'express'
import { orgsOf } from '../../http/person.ts'
import type { ConsoleParts } from '../ui/console-parts.ts'
import type { ShellOf } from '../ui/layout.tsx'
import { listOrgs } from '../ui/list-orgs.ts'
import { readPageQuery } from '../ui/page-query.ts'
import { sendPage } from '../ui/send-page.ts'
import { renderDoctor } from './page.tsx'

/**
 * `GET /console/doctor`. The page calls no address that a request names, since it would send the verify token there.
 */
export function createDoctorRoutes(shellOf: ShellOf, { db, examine }: ConsoleParts): Router {
  const router = Router()
  router.get('/doctor', async (req, res) => {
    const { org: orgId } = readPageQuery(req)
    const [orgs, checks] = await Promise.all([listOrgs(db, orgsOf(req)), examine(orgId)])
    await sendPage(db, res, renderDoctor(shellOf(req), { orgs, orgId, checks }))
  })
  return router
}
