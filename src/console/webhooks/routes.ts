import { type Request, type Response, Router } from 'express'
import { validate as isUuid } from 'uuid'
import type { Db } from '../../db/client.ts'
import { ApiError } from '../../errors.ts'
import { listAttempts } from '../../event-push/list-attempts.ts'
import { readStanding } from '../../event-push/read-standing.ts'
import { orgsOf, userOf } from '../../http/person.ts'
import type { ConsoleParts } from '../ui/console-parts.ts'
import type { ShellOf } from '../ui/layout.tsx'
import { listOrgs } from '../ui/list-orgs.ts'
import { readPageQuery } from '../ui/page-query.ts'
import { sendPage } from '../ui/send-page.ts'
import { createEndpointChangeRoutes } from './change-routes.ts'
import { renderEndpoint } from './endpoint-page.tsx'
import { listShown, readShown, type ShownEndpoint } from './list.ts'
import { renderWebhooks } from './list-page.tsx'

const ATTEMPTS = 50

/** `/console/webhooks`: lists the endpoints of orgs, shows one with its last requests, tests, replays and enables it. */
export function createWebhookRoutes(shellOf: ShellOf, parts: ConsoleParts): Router {
  const router = Router()
  router.get('/webhooks', (req, res) => showList(shellOf, parts, req, res))
  router.get('/webhooks/:org/:id', (req, res) => showEndpoint(shellOf, parts, req, res))
  router.use(createEndpointChangeRoutes(parts))
  return router
}

async function showList(shellOf: ShellOf, { db }: ConsoleParts, req: Request, res: Response): Promise<void> {
  const { org: orgId } = readPageQuery(req)
  const orgs = await listOrgs(db, orgsOf(req))
  const endpoints = []
  // One after another, so that a page takes one connection.
  for (const endpoint of await listShown(db, orgId === undefined ? orgs.map(({ id }) => id) : [orgId]))
    endpoints.push({ endpoint, standing: await readStanding(db, endpoint) })
  await sendPage(db, res, renderWebhooks(shellOf(req), { orgs, orgId, endpoints }))
}

type EndpointRequest = Request<{ org: string; id: string }>

/** The log records who has the answers shown. */
async function showEndpoint(
  shellOf: ShellOf,
  { db, log }: ConsoleParts,
  req: EndpointRequest,
  res: Response,
): Promise<void> {
  const endpoint = await find(db, req.params)
  const withText = readPageQuery(req).text === 'show'
  const ids = { org: endpoint.orgId, endpoint: endpoint.id }
  if (withText) log.info({ user: userOf(req), ...ids }, 'the answers of a webhook endpoint were shown')
  const standing = await readStanding(db, endpoint)
  const attempts = await listAttempts(db, endpoint, ATTEMPTS)
  await sendPage(db, res, renderEndpoint(shellOf(req), { endpoint, standing, attempts, withText }))
}

/** @throws ApiError WEBHOOK_ENDPOINT_NOT_FOUND */
async function find(db: Db, { org, id }: { org: string; id: string }): Promise<ShownEndpoint> {
  const found = isUuid(id) ? await readShown(db, org, id) : undefined
  if (!found) throw new ApiError('WEBHOOK_ENDPOINT_NOT_FOUND')
  return found
}
