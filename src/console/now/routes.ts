import { Router } from 'express'
import { orgsOf } from '../../http/person.ts'
import type { ConsoleParts } from '../ui/console-parts.ts'
import type { ShellOf } from '../ui/layout.tsx'
import { listNumbers } from '../ui/list-numbers.ts'
import { listOrgs } from '../ui/list-orgs.ts'
import { readPageQuery } from '../ui/page-query.ts'
import { sendPage } from '../ui/send-page.ts'
import { createFeed } from './feed.ts'
import { filterOf } from './feed-filter.ts'
import { readFigures } from './figures.ts'
import { createNewMessageReader } from './new-messages.ts'
import { renderFigures, renderNow, renderRows } from './page.tsx'

/** `GET /console`, and `GET /console/stream`, which keeps the page up to date. */
export function createNowRoutes(shellOf: ShellOf, { db, queues, log }: ConsoleParts): Router {
  const feed = createFeed({ db, queues, log, renderRows, renderFigures })
  const router = Router()

  router.get('/', async (req, res) => {
    const visible = orgsOf(req)
    const filter = filterOf(readPageQuery(req), visible)
    const rates = feed.rates()
    const [orgs, numbers, figures, recent] = await Promise.all([
      listOrgs(db, visible),
      listNumbers(db, filter.orgIds),
      readFigures(db, queues(), visible),
      createNewMessageReader(db, filter)(),
    ])
    await sendPage(db, res, renderNow(shellOf(req), { orgs, numbers, filter, figures, rates, recent }))
  })

  router.get('/stream', (req, res) => feed.stream(req, res, filterOf(readPageQuery(req), orgsOf(req))))

  return router
}
