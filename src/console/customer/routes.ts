import { type Request, Router } from 'express'
import { userOf } from '../../http/login.ts'
import type { ConsoleParts } from '../ui/console-parts.ts'
import type { Shell } from '../ui/layout.tsx'
import { listOrgs } from '../ui/list-orgs.ts'
import { readQuestion } from '../ui/question.ts'
import { renderCustomer } from './page.tsx'
import { type CustomerFile, readCustomerFile } from './read-file.ts'
import { type Match, searchCustomers } from './search.ts'

/** `GET /console/customer`: the search and the one customer. Whoever has texts shown leaves a line in the log. */
export function createCustomerRoutes(shell: Shell, { db, log, now }: ConsoleParts): Router {
  const router = Router()

  router.get('/customer', async (req, res) => {
    const { org: orgId, q: words = '', id, text } = readQuestion(req)
    const orgs = await listOrgs(db)
    const matches = await searchCustomers(db, orgId === undefined ? orgs.map((o) => o.id) : [orgId], words)
    const match = chosen(matches, id)
    const withText = text === 'show'
    const file = match && (await readCustomerFile(db, { ...match, withText, now: now() }))
    if (file && withText) tellOfText(req, file)
    res.type('html').send(renderCustomer(shell, { orgs, orgId, words, withText }, { matches, file }))
  })

  function tellOfText(req: Request, { orgId, customer, messages }: CustomerFile): void {
    const seen = { user: userOf(req), org: orgId, customer: customer.id, messages: messages.length }
    log.info(seen, 'the texts of a customer were shown')
  }

  return router
}

/** The one that was picked among those found; without a pick, the only one. */
function chosen(matches: Match[], id: string | undefined): Match | undefined {
  if (id !== undefined) return matches.find((match) => match.customerId === id)
  return matches.length === 1 ? matches[0] : undefined
}
