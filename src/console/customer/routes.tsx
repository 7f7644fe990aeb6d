import { type Request, Router } from 'express'
import type { Db } from '../../db/client.ts'
import { readNow } from '../../db/read-now.ts'
import { orgsOf, userOf } from '../../http/person.ts'
import type { ConsoleParts } from '../ui/console-parts.ts'
import { renderPart, type ShellOf } from '../ui/layout.tsx'
import { listOrgs, type OrgName } from '../ui/list-orgs.ts'
import { type PageQuery, readPageQuery } from '../ui/page-query.ts'
import { decodePlace } from '../ui/place.ts'
import { sendPage } from '../ui/send-page.ts'
import { createRoomChangeRoutes } from './change-routes.ts'
import type { CustomerQuery } from './customer-query.ts'
import { describeMatches } from './describe-matches.ts'
import { type CustomerResult, renderCustomer } from './page.tsx'
import { type CustomerDetails, readCustomerDetails } from './read-details.ts'
import { roomPlace } from './rooms.ts'
import { searchCustomers } from './search.ts'
import { Suggestions } from './search-form.tsx'
import { suggest } from './suggest.ts'
import { timelinePlace } from './timeline.ts'

/**
 * `GET /console/customer`: the search, and the details of one customer. The log records who has message text shown.
 * `GET /console/customer/suggest`: what the search text may be the beginning of. The changes of chatrooms are below
 * `/console/customer/rooms`.
 */
export function createCustomerRoutes(shellOf: ShellOf, parts: ConsoleParts): Router {
  const { db, log } = parts
  const router = Router()

  router.get('/customer', async (req, res) => {
    const pageQuery = readPageQuery(req)
    const query = toQuery(pageQuery, await listOrgs(db, orgsOf(req)))
    const result = await find(db, query, pageQuery.id)
    if (result.details && query.withText) recordTextShown(req, result.details)
    await sendPage(db, res, renderCustomer(shellOf(req), query, result))
  })

  router.get('/customer/suggest', async (req, res) => {
    const { org: orgId, q: words = '' } = readPageQuery(req)
    const orgIds = orgId === undefined ? (await listOrgs(db, orgsOf(req))).map(({ id }) => id) : [orgId]
    const suggestions = await suggest(db, orgIds, words)
    await sendPage(db, res, renderPart(<Suggestions suggestions={suggestions} />))
  })

  router.use(createRoomChangeRoutes(parts))

  function recordTextShown(req: Request, { orgId, customer, timeline }: CustomerDetails): void {
    const messages = timeline.entries.filter((entry) => 'message' in entry).length
    const shown = { user: userOf(req), org: orgId, customer: customer.id, messages }
    log.info(shown, 'the message texts of a customer were shown')
  }

  return router
}

/** @throws ApiError INVALID_INPUT for a place that is none */
function toQuery(
  { org: orgId, q: words = '', text, show, room, rooms, before }: PageQuery,
  orgs: OrgName[],
): CustomerQuery {
  const places = { rooms: decodePlace(rooms, roomPlace), before: decodePlace(before, timelinePlace) }
  const filter = { show: show || undefined, room: room || undefined, withText: text === 'show' }
  return { orgs, orgId, words, ...filter, ...places }
}

/** Shows the customer that the address names. A search shows its customer if it finds one, and a list if it finds several. */
async function find(
  db: Db,
  { orgs, orgId, words, ...query }: CustomerQuery,
  id: string | undefined,
): Promise<CustomerResult> {
  const orgIds = orgId === undefined ? orgs.map((org) => org.id) : [orgId]
  const isNamed = orgId !== undefined && id !== undefined
  const found = isNamed
    ? [{ orgId, customerId: id, matchedBy: 'alias' as const }]
    : await searchCustomers(db, orgIds, words)
  const [match] = found
  if (!match || found.length > 1) return { matches: await describeMatches(db, found), details: undefined }
  const now = await readNow(db)
  return { matches: [], details: await readCustomerDetails(db, { ...query, ...match, now }) }
}
