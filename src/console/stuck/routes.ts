import { type Request, type Response, Router } from 'express'
import { userOf } from '../../http/person.ts'
import { listDeadLetters, replayDeadLetter } from '../../inbox/dead-letters.ts'
import { readKept } from '../../inbox/read-kept.ts'
import { replayDeadLetters } from '../../inbox/replay-dead-letters.ts'
import type { ConsoleParts } from '../ui/console-parts.ts'
import { queryString } from '../ui/format.ts'
import type { ShellOf } from '../ui/layout.tsx'
import { readPageQuery } from '../ui/page-query.ts'
import { sendPage } from '../ui/send-page.ts'
import { readDeliveryId, unknownLetter } from './delivery-id.ts'
import { renderKept } from './letter-page.tsx'
import { createStuckListRoutes } from './list-routes.ts'
import { createRetryRoutes } from './retry-routes.ts'
import { listPath } from './stuck-query.ts'

const MAX_REPLAYED = 10_000

/**
 * `/console/stuck`: lists held messages, parked deliveries, dead letters and failed sends; shows a dead letter or a parked
 * delivery, replays one dead letter or all of them, and sends failed messages again.
 */
export function createStuckRoutes(shellOf: ShellOf, parts: ConsoleParts): Router {
  const router = Router()
  router.use(createStuckListRoutes(shellOf, parts))
  router.post('/stuck/replay', (req, res) => replayAll(parts, req, res))
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

async function replayAll({ db, enqueue, log }: ConsoleParts, req: Request, res: Response): Promise<void> {
  const [newest] = await listDeadLetters(db, { limit: 1 })
  const all = { after: 0, limit: MAX_REPLAYED, reason: undefined }
  const { replayed } = await replayDeadLetters(db, all, enqueue)
  log.info({ user: userOf(req), replayed }, 'dead letters were replayed')
  redirectToReplay(res, { replayed, first: 0, last: newest?.id ?? 0 })
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
  redirectToReplay(res, { replayed: 1, first: id, last: id })
}

/** Leads to a page that shows the progress of the replay; its address holds everything needed to read the progress. */
function redirectToReplay(res: Response, replay: { replayed: number; first: number; last: number }): void {
  const { replayed, first, last } = replay
  const parameters = { replayed: String(replayed), first: String(first), last: String(last) }
  res.redirect(303, listPath('dead') + queryString(parameters))
}
