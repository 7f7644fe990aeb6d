import express, { type Request, type Response, Router } from 'express'
import { validate as isUuid } from 'uuid'
import { ApiError } from '../../errors.ts'
import { userOf } from '../../http/person.ts'
import { readOrg } from '../../orgs/read-org.ts'
import { retrySend } from '../../outbound/retry-send.ts'
import type { ConsoleParts } from '../ui/console-parts.ts'
import { customerPath, queryString } from '../ui/format.ts'
import { RETRY_PATH } from '../ui/retry-form.tsx'
import { STUCK } from './stuck-query.ts'

type RetryRequest = Request<{ org: string; room: string; id: string }>

/**
 * `POST /console/stuck/sends/:org/:room/:id/retry`: sends a message again, and leads back to the list, or to the page of the
 * customer that the form names.
 */
export function createRetryRoutes(parts: ConsoleParts): Router {
  const router = Router()
  const form = express.urlencoded({ extended: false, limit: '1kb' })
  router.post(`${RETRY_PATH}/:org/:room/:id/retry`, form, (req: RetryRequest, res) => retry(parts, req, res))
  return router
}

async function retry({ db, log }: ConsoleParts, req: RetryRequest, res: Response): Promise<void> {
  const { org: orgId, room: chatroomId, id } = req.params
  if (!isUuid(chatroomId)) throw new ApiError('CHATROOM_NOT_FOUND')
  const user = userOf(req) ?? ''
  const { org, now } = await readOrg(db, orgId)
  const { message } = await retrySend(db, {
    ...{ org, chatroomId, message: id, confirm: req.body?.confirm === 'true', now },
    ...{ sender: undefined, mayCampaign: true, actor: `ops:${user}` },
  })
  log.info({ user, org: orgId, send: id, as: message.id }, 'a message was sent again')
  const customer = String(req.body?.customer ?? '')
  const page = isUuid(customer)
    ? customerPath(orgId, customer)
    : `${STUCK}${queryString({ org: orgId })}#sends`
  res.redirect(303, page)
}
