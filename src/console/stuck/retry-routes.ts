import { eq, sql } from 'drizzle-orm'
import express, { type Request, type Response, Router } from 'express'
import { validate as isUuid } from 'uuid'
import type { Db } from '../../db/client.ts'
import { orgs } from '../../db/schema/index.ts'
import { ApiError } from '../../errors.ts'
import { userOf } from '../../http/login.ts'
import { retrySend } from '../../outbound/retry-send.ts'
import type { ConsoleParts } from '../ui/console-parts.ts'
import { queryString } from '../ui/format.ts'
import { STUCK } from './replay-buttons.tsx'

type RetryRequest = Request<{ org: string; room: string; id: string }>

/** `POST /console/stuck/sends/:org/:room/:id/retry`: sends a message again, and leads back to the list. */
export function createRetryRoutes(parts: ConsoleParts): Router {
  const router = Router()
  const form = express.urlencoded({ extended: false, limit: '1kb' })
  router.post('/stuck/sends/:org/:room/:id/retry', form, (req: RetryRequest, res) => retry(parts, req, res))
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
  res.redirect(303, `${STUCK}${queryString({ org: orgId })}#sends`)
}

/** An org and the database's clock. */
async function readOrg(db: Db, id: string) {
  const now = sql`clock_timestamp()`.mapWith(orgs.createdAt)
  const [found] = await db.select({ org: orgs, now }).from(orgs).where(eq(orgs.id, id))
  if (!found) throw new ApiError('NOT_FOUND')
  return found
}
