import { Router } from 'express'
import type { ConsoleParts } from '../ui/console-parts.ts'
import type { Shell } from '../ui/layout.tsx'
import { listOrgs } from '../ui/list-orgs.ts'
import { readQuestion } from '../ui/question.ts'
import { createFeed } from './feed.ts'
import { readFigures } from './figures.ts'
import { renderFigures, renderNow, renderRows } from './page.tsx'
import { recentMessages } from './recent-messages.ts'

const SHOWN = 40

/** `GET /console`, and the stream that keeps it moving. */
export function createNowRoutes(shell: Shell, { db, queues, log }: ConsoleParts): Router {
  const feed = createFeed({ db, queues, log, renderRows, renderFigures })
  const router = Router()

  router.get('/', async (req, res) => {
    const { org: orgId } = readQuestion(req)
    const rates = feed.rates()
    const [orgs, figures, recent] = await Promise.all([
      listOrgs(db),
      readFigures(db, queues()),
      recentMessages(db, { orgId, after: 0, perOrg: SHOWN, limit: SHOWN }),
    ])
    res.type('html').send(renderNow(shell, { orgs, orgId, figures, rates, recent }))
  })

  router.get('/stream', (req, res) => feed.stream(req, res, readQuestion(req).org))

  return router
}
