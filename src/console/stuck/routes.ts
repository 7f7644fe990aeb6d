import { type Request, Router } from 'express'
import type { Db } from '../../db/client.ts'
import { userOf } from '../../http/login.ts'
import { listDeadLetters, readDeadLetter, replayDeadLetter } from '../../inbox/dead-letters.ts'
import { replayDeadLetters } from '../../inbox/replay-dead-letters.ts'
import type { ConsoleParts } from '../ui/console-parts.ts'
import { query } from '../ui/format.ts'
import type { Shell } from '../ui/layout.tsx'
import { listOrgs } from '../ui/list-orgs.ts'
import { readDeliveryId, readQuestion, unknownLetter } from '../ui/question.ts'
import { listHeld } from './held-list.ts'
import { renderLetter } from './letter-page.tsx'
import { renderStuck, STUCK } from './page.tsx'
import { listParked } from './parked-list.ts'
import type { Replay } from './replay-banner.tsx'
import { replayProgress } from './replay-progress.ts'

const PAGE = 50
const MOST_REPLAYED = 10_000

/** `/console/stuck`: what is held, parked and dead; one dead letter; the replay of one or of all. */
export function createStuckRoutes(shell: Shell, { db, enqueue, log }: ConsoleParts): Router {
  const router = Router()

  router.get('/stuck', async (req, res) => {
    const question = readQuestion(req)
    const { org: orgId, before } = question
    const orgs = await listOrgs(db)
    const [held, parked, dead, replay] = await Promise.all([
      listHeld(db, orgId === undefined ? orgs.map(({ id }) => id) : [orgId]),
      listParked(db),
      listDeadLetters(db, { before, limit: PAGE }),
      readReplay(db, question),
    ])
    const olderDead = dead.length === PAGE ? dead.at(-1)?.id : undefined
    res.type('html').send(renderStuck(shell, { orgs, orgId, held, parked, dead, olderDead, replay }))
  })

  router.post('/stuck/replay', async (req, res) => {
    const [newest] = await listDeadLetters(db, { limit: 1 })
    const ask = { after: 0, limit: MOST_REPLAYED, reason: undefined }
    const { replayed } = await replayDeadLetters(db, ask, enqueue)
    log.info({ user: userOf(req), replayed }, 'dead letters were replayed')
    res.redirect(
      303,
      STUCK + query({ replayed: String(replayed), first: '0', last: String(newest?.id ?? 0) }),
    )
  })

  router.get('/stuck/:id', async (req, res) => {
    const letter = await readDeadLetter(db, readDeliveryId(req))
    if (!letter) throw unknownLetter()
    const withText = readQuestion(req).text === 'show'
    if (withText) log.info({ user: userOf(req), delivery: letter.id }, 'the text of a dead letter was shown')
    res.type('html').send(renderLetter(shell, letter, withText))
  })

  router.post('/stuck/:id/replay', async (req: Request<{ id: string }>, res) => {
    const id = readDeliveryId(req)
    if (!(await replayDeadLetter(db, id))) throw unknownLetter()
    log.info({ user: userOf(req), delivery: id }, 'a dead letter was replayed')
    await enqueue([id])
    res.redirect(303, STUCK + query({ replayed: '1', first: String(id), last: String(id) }))
  })

  return router
}

/** How far the replay has come that the address tells of. */
async function readReplay(
  db: Db,
  {
    replayed,
    first,
    last,
  }: { replayed?: number | undefined; first?: number | undefined; last?: number | undefined },
): Promise<Replay | undefined> {
  if (replayed === undefined || first === undefined || last === undefined) return undefined
  return { replayed, ...(await replayProgress(db, first, last)) }
}
