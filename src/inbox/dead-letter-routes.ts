import { type Request, type Response, Router } from 'express'
import { z } from 'zod'
import type { Db } from '../db/client.ts'
import { ApiError } from '../errors.ts'
import { userOf } from '../http/person.ts'
import { requestIdOf } from '../http/request-id.ts'
import type { Logger } from '../logger.ts'
import { listDeadLetters, readDeadLetter, replayDeadLetter } from './dead-letters.ts'
import { replayDeadLetters } from './replay-dead-letters.ts'

export type DeadLetterParts = {
  db: Db
  /** Enqueues jobs for deliveries; false when the queue may not have them. Has a deadline and never rejects. */
  enqueue: (ids: number[]) => Promise<boolean>
  log: Logger
}

const wholeNumber = z
  .string()
  .regex(/^[1-9]\d{0,14}$/)
  .transform(Number)
const pageQuery = z.object({
  before: wholeNumber.optional(),
  limit: wholeNumber.pipe(z.number().max(200)).default(50),
})
const replayQuery = z.object({
  after: wholeNumber.default(0),
  limit: wholeNumber.pipe(z.number().max(10_000)).default(10_000),
  reason: z.string().min(1).max(1_000).optional(),
})

/**
 * Lists dead letters, newest first, shows one with its bytes in base64, and replays one or all of them. The log names
 * the user who had a text shown or replayed. Mount it behind a login.
 */
export function createDeadLetterRoutes(parts: DeadLetterParts): Router {
  const router = Router()
  router.get('/', (req, res) => sendPage(parts, req, res))
  router.get('/:id', (req, res) => sendLetter(parts, req, res))
  router.post('/:id/replay', (req, res) => replayOne(parts, req, res))
  router.post('/replay', (req, res) => replayAll(parts, req, res))
  return router
}

async function sendPage({ db }: DeadLetterParts, req: Request, res: Response): Promise<void> {
  const asked = pageQuery.safeParse(req.query)
  if (!asked.success) throw new ApiError('INVALID_INPUT', '`before` must be an id, `limit` 1 to 200.')
  const letters = await listDeadLetters(db, asked.data)
  const full = letters.length === asked.data.limit
  res.json({ dead_letters: letters, next_before: full ? letters.at(-1)?.id : null })
}

async function sendLetter(
  { db, log }: DeadLetterParts,
  req: Request<{ id: string }>,
  res: Response,
): Promise<void> {
  const letter = await readDeadLetter(db, readId(req.params.id))
  if (!letter) throw unknownLetter()
  const shown = { user: userOf(req), requestId: requestIdOf(res), delivery: letter.id }
  log.info(shown, 'the text of a dead letter was shown')
  res.json(letter)
}

async function replayOne(
  { db, enqueue, log }: DeadLetterParts,
  req: Request<{ id: string }>,
  res: Response,
): Promise<void> {
  const id = readId(req.params.id)
  if (!(await replayDeadLetter(db, id))) throw unknownLetter()
  log.info({ user: userOf(req), requestId: requestIdOf(res), delivery: id }, 'a dead letter was replayed')
  await enqueue([id])
  res.json({ id, state: 'new' })
}

async function replayAll({ db, enqueue, log }: DeadLetterParts, req: Request, res: Response): Promise<void> {
  const asked = replayQuery.safeParse(req.query)
  if (!asked.success)
    throw new ApiError('INVALID_INPUT', '`after` must be an id, `limit` 1 to 10000, `reason` a text.')
  const filter = { ...asked.data, reason: asked.data.reason }
  const { replayed, nextAfter } = await replayDeadLetters(db, filter, enqueue)
  log.info(
    { user: userOf(req), requestId: requestIdOf(res), replayed, nextAfter },
    'dead letters were replayed',
  )
  res.json({ replayed, next_after: nextAfter })
}

function readId(text: string): number {
  const { data, success } = wholeNumber.safeParse(text)
  if (!success) throw new ApiError('INVALID_INPUT', 'The id must be a whole number above 0.')
  return data
}

function unknownLetter(): ApiError {
  return new ApiError('NOT_FOUND', 'There is no dead letter with this id.')
}
