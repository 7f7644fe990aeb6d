import { Router } from 'express'
import { z } from 'zod'
import type { Db } from '../db/client.ts'
import { ApiError } from '../errors.ts'
import { userOf } from '../http/login.ts'
import { requestIdOf } from '../http/request-id.ts'
import type { Logger } from '../logger.ts'
import { listDeadLetters, readDeadLetter, replayDeadLetter } from './dead-letters.ts'
import { replayDeadLetters } from './replay-dead-letters.ts'

export type DeadLetterParts = {
  db: Db
  /** Tells the queue of deliveries to route; false when it may not know. Has a deadline and never rejects. */
  enqueue: (ids: number[]) => Promise<boolean>
  log: Logger
}

const wholeNumber = z
  .string()
  .regex(/^[1-9]\d{0,14}$/)
  .transform(Number)
const page = z.object({
  before: wholeNumber.optional(),
  limit: wholeNumber.pipe(z.number().max(200)).default(50),
})
const replay = z.object({
  after: wholeNumber.default(0),
  limit: wholeNumber.pipe(z.number().max(10_000)).default(10_000),
  reason: z.string().min(1).max(1_000).optional(),
})

/**
 * Lists dead letters, newest first, shows one with its bytes in base64, and replays one or all of them; the log
 * tells who did. Needs a login in front.
 */
export function createDeadLetterRoutes({ db, enqueue, log }: DeadLetterParts): Router {
  const router = Router()

  router.get('/', async (req, res) => {
    const asked = page.safeParse(req.query)
    if (!asked.success) throw new ApiError('INVALID_INPUT', '`before` must be an id, `limit` 1 to 200.')
    const letters = await listDeadLetters(db, asked.data)
    const full = letters.length === asked.data.limit
    res.json({ dead_letters: letters, next_before: full ? letters.at(-1)?.id : null })
  })

  router.get('/:id', async (req, res) => {
    const letter = await readDeadLetter(db, readId(req.params.id))
    if (!letter) throw unknownLetter()
    res.json(letter)
  })

  router.post('/:id/replay', async (req, res) => {
    const id = readId(req.params.id)
    if (!(await replayDeadLetter(db, id))) throw unknownLetter()
    log.info({ user: userOf(req), requestId: requestIdOf(res), delivery: id }, 'a dead letter was replayed')
    await enqueue([id])
    res.json({ id, state: 'new' })
  })

  router.post('/replay', async (req, res) => {
    const asked = replay.safeParse(req.query)
    if (!asked.success)
      throw new ApiError('INVALID_INPUT', '`after` must be an id, `limit` 1 to 10000, `reason` a text.')
    const { replayed, nextAfter } = await replayDeadLetters(
      db,
      { ...asked.data, reason: asked.data.reason },
      enqueue,
    )
    log.info(
      { user: userOf(req), requestId: requestIdOf(res), replayed, nextAfter },
      'dead letters were replayed',
    )
    res.json({ replayed, next_after: nextAfter })
  })

  return router
}

function readId(text: string): number {
  const { data, success } = wholeNumber.safeParse(text)
  if (!success) throw new ApiError('INVALID_INPUT', 'The id must be a whole number above 0.')
  return data
}

function unknownLetter(): ApiError {
  return new ApiError('NOT_FOUND', 'There is no dead letter of this id.')
}
