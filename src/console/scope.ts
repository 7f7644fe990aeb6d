import { type Request, type RequestHandler, Router } from 'express'
import { ApiError } from '../errors.ts'
import { requireAllOrgs } from '../http/login.ts'
import { personOf } from '../http/person.ts'

/** The routes that show and change data of orgs only: of the org that the address names, or of those that the person may see. */
const OF_ORGS = [
  ...['/', '/stream', '/assets/:hash/:name', '/team', '/lifecycle'],
  ...['/customer', '/customer/suggest', '/customer/rooms/:org/:room/:change'],
  ...['/stuck', '/stuck/sends', '/stuck/held', '/stuck/sends/:org/:room/:id/retry'],
  ...['/webhooks', '/webhooks/:org/:id', '/webhooks/:org/:id/:change'],
]

/**
 * Keeps people within their orgs: the org in the address must be one of theirs, else the answer is 404, as for an org that
 * does not exist. A route that is not listed above is for people who may see everything.
 */
export function requireScope(): RequestHandler {
  const router = Router()
  for (const path of OF_ORGS)
    router.all(path, (req, _res, next) => {
      refuseOtherOrgs(req)
      next('router')
    })
  router.use(requireAllOrgs)
  return (req, res, next) => router(req, res, next)
}

/** @throws ApiError NOT_FOUND */
function refuseOtherOrgs(req: Request): void {
  const person = personOf(req)
  if (!person) throw new ApiError('FORBIDDEN')
  const { orgs } = person
  if (orgs === undefined) return
  const asked = [req.params.org, req.query.org].filter((org) => org !== undefined && org !== '')
  if (!asked.every((org) => typeof org === 'string' && orgs.includes(org))) throw new ApiError('NOT_FOUND')
}
