import { type Request, type Response, Router } from 'express'
import type { Db } from '../../db/client.ts'
import { userOf } from '../../http/login.ts'
import { listDeadLetters, readDeadLetter, replayDeadLetter } from '../../inbox/dead-letters.ts'
import { replayDeadLetters } from '../../inbox/replay-dead-letters.ts'
import type { ConsoleParts } from '../ui/console-parts.ts'
import { queryString } from '../ui/format.ts'
import type { Shell } from '../ui/layout.tsx'
import { listOrgs } from '../ui/list-orgs.ts'
import { type PageQuery, readPageQuery } from '../ui/page-query.ts'
import { sendPage } from '../ui/send-page.ts'
import { readDeliveryId, unknownLetter } from './delivery-id.ts'
import { listFailedSends } from './failed-sends-list.ts'
import { listHeld } from './held-list.ts'
import { renderLetter } from './letter-page.tsx'
import { renderStuck } from './page.tsx'
import { listParked } from './parked-list.ts'
import type { Replay } from './replay-banner.tsx'
import { STUCK } from './replay-buttons.tsx'
import { replayProgress } from './replay-progress.ts'
import { createRetryRoutes } from './retry-routes.ts'

const PAGE_SIZE = 50
const MAX_REPLAYED = 10_000

/**
 * `/console/stuck`: lists held messages, parked deliveries, dead letters and failed sends; shows a dead letter, replays one
 * dead letter or all of them, and sends failed messages again.
 */
export function createStuckRoutes(shell: Shell, parts: ConsoleParts): Router {
  const router = Router()
  router.get('/stuck', (req, res) => showStuck(shell, parts, req, res))
  router.post('/stuck/replay', (req, res) => replayAll(parts, req, res))
  router.use(createRetryRoutes(parts))
  router.get('/stuck/:id', (req, res) => showLetter(shell, parts, req, res))
  router.post('/stuck/:id/replay', (req, res) => replayOne(parts, req, res))
  return router
}

async function showStuck(shell: Shell, { db }: ConsoleParts, req: Request, res: Response): Promise<void> {
  const pageQuery = readPageQuery(req)
  const { org: orgId, before } = pageQuery
  const orgs = await listOrgs(db)
  const shown = orgId === undefined ? orgs.map(({ id }) => id) : [orgId]
  const [held, sends, parked, dead, replay] = await Promise.all([
    listHeld(db, shown),
    listFailedSends(db, shown),
    listParked(db),
    listDeadLetters(db, { before, limit: PAGE_SIZE }),
    readReplay(db, pageQuery),
  ])
  const olderDead = dead.length === PAGE_SIZE ? dead.at(-1)?.id : undefined
  const stuck = { orgs, orgId, held, sends, parked, dead, olderDead, replay }
  await sendPage(db, res, renderStuck(shell, stuck))
}

type LetterRequest = Request<{ id: string }>

/** The log records who has the text of a dead letter shown. */
async function showLetter(
  shell: Shell,
  { db, log }: ConsoleParts,
  req: LetterRequest,
  res: Response,
): Promise<void> {
  const letter = await readDeadLetter(db, readDeliveryId(req))
  if (!letter) throw unknownLetter()
  const withText = readPageQuery(req).text === 'show'
  if (withText) log.info({ user: userOf(req), delivery: letter.id }, 'the text of a dead letter was shown')
  await sendPage(db, res, renderLetter(shell, letter, withText))
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
  res.redirect(303, STUCK + queryString(parameters))
}

async function readReplay(db: Db, { replayed, first, last }: PageQuery): Promise<Replay | undefined> {
  if (replayed === undefined || first === undefined || last === undefined) return undefined
  return { replayed, ...(await replayProgress(db, first, last)) }
}
