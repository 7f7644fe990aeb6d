import { type Request, type Response, Router } from 'express'
import { userOf } from '../../http/person.ts'
import { replayDeadLetter } from '../../inbox/dead-letters.ts'
import { readKept } from '../../inbox/read-kept.ts'
import type { ConsoleParts } from '../ui/console-parts.ts'
import { queryString } from '../ui/format.ts'
import type { ShellOf } from '../ui/layout.tsx'
import { readPageQuery } from '../ui/page-query.ts'
import { sendPage } from '../ui/send-page.ts'
import { readDeliveryId, unknownLetter } from './delivery-id.ts'
import { renderKept } from './letter-page.tsx'
import { createStuckListRoutes } from './list-routes.ts'
import { createRetryRoutes } from './retry-routes.ts'
import { createRunRoutes } from './run-routes.ts'
import { listPath } from './stuck-query.ts'

/**
 * `/console/stuck`: lists held messages, parked deliveries, dead letters and failed sends; shows a dead letter or a parked
 * delivery, replays one dead letter, sends a failed message again, and begins and ends runs over many of them.
 */
export function createStuckRoutes(shellOf: ShellOf, parts: ConsoleParts): Router {
  const router = Router()
  router.use(createStuckListRoutes(shellOf, parts))
  router.use(createRunRoutes(parts))
  router.use(createRetryRoutes(parts))
  router.get('/stuck/:id', (req, res) => showKept(shellOf, parts, req, res))
  router.post('/stuck/:id/replay', (req, res) => replayOne(parts, req, res))
  return router
}

type LetterRequest = Request<{ id: string }>

/** The log records who has the text of a delivery shown. */
async function showKept(
  shellOf: ShellOf,
  { db, log }: ConsoleParts,
  req: LetterRequest,
  res: Response,
): Promise<void> {
  const delivery = await readKept(db, readDeliveryId(req))
  if (!delivery) throw unknownLetter()
  const withText = readPageQuery(req).text === 'show'
  if (withText) log.info({ user: userOf(req), delivery: delivery.id }, 'the text of a delivery was shown')
  await sendPage(db, res, renderKept(shellOf(req), delivery, withText))
}

async function replayOne(
  { db, enqueue, log }: ConsoleParts,
  req: LetterRequest,
  res: Response,
): Promise<void> {
  const id = readDeliveryId(req)
  if (!(await replayDeadLetter(db, id))) throw unknownLetter()
  log.info({ user: userOf(req), delivery: id }, 'a dead letter was replayed')
  await enqueue([id])
  const parameters = { replayed: '1', first: String(id), last: String(id) }
  // The address holds everything needed to read the progress.
  res.redirect(303, listPath('dead') + queryString(parameters))
}
