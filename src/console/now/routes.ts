import { Router } from 'express'
import type { ConsoleParts } from '../ui/console-parts.ts'
import type { Shell } from '../ui/layout.tsx'
import { listOrgs } from '../ui/list-orgs.ts'
import { readPageQuery } from '../ui/page-query.ts'
import { sendPage } from '../ui/send-page.ts'
import { createFeed } from './feed.ts'
import { readFigures } from './figures.ts'
import { renderFigures, renderNow, renderRows } from './page.tsx'
import { latestMessages } from './recent-messages.ts'

/** `GET /console`, and `GET /console/stream`, which keeps the page up to date. */
export function createNowRoutes(shell: Shell, { db, queues, log }: ConsoleParts): Router {
  const feed = createFeed({ db, queues, log, renderRows, renderFigures })
  const router = Router()

  router.get('/', async (req, res) => {
    const { org: orgId } = readPageQuery(req)
    const rates = feed.rates()
    const [orgs, figures, recent] = await Promise.all([
      listOrgs(db),
      readFigures(db, queues()),
      latestMessages(db, orgId),
    ])
    await sendPage(db, res, renderNow(shell, { orgs, orgId, figures, rates, recent }))
  })

  router.get('/stream', (req, res) => feed.stream(req, res, readPageQuery(req).org))

  return router
}
