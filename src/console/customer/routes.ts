import { type Request, Router } from 'express'
import { readNow } from '../../db/read-now.ts'
import { userOf } from '../../http/login.ts'
import type { ConsoleParts } from '../ui/console-parts.ts'
import type { Shell } from '../ui/layout.tsx'
import { listOrgs } from '../ui/list-orgs.ts'
import { readPageQuery } from '../ui/page-query.ts'
import { sendPage } from '../ui/send-page.ts'
import { renderCustomer } from './page.tsx'
import { type CustomerDetails, readCustomerDetails } from './read-details.ts'
import { type Match, searchCustomers } from './search.ts'

/** `GET /console/customer`: the search, and the details of one customer. The log records who has message text shown. */
export function createCustomerRoutes(shell: Shell, { db, log }: ConsoleParts): Router {
  const router = Router()

  router.get('/customer', async (req, res) => {
    const { org: orgId, q: words = '', id, text } = readPageQuery(req)
    const orgs = await listOrgs(db)
    const matches = await searchCustomers(db, orgId === undefined ? orgs.map((o) => o.id) : [orgId], words)
    const match = chooseMatch(matches, id)
    const withText = text === 'show'
    const details = match && (await readCustomerDetails(db, { ...match, withText, now: await readNow(db) }))
    if (details && withText) recordTextShown(req, details)
    await sendPage(db, res, renderCustomer(shell, { orgs, orgId, words, withText }, { matches, details }))
  })

  function recordTextShown(req: Request, { orgId, customer, messages }: CustomerDetails): void {
    const shown = { user: userOf(req), org: orgId, customer: customer.id, messages: messages.length }
    log.info(shown, 'the message texts of a customer were shown')
  }

  return router
}

/** The match the operator has chosen by its id; without a choice, the only match. */
function chooseMatch(matches: Match[], id: string | undefined): Match | undefined {
  if (id !== undefined) return matches.find((match) => match.customerId === id)
  return matches.length === 1 ? matches[0] : undefined
}
