import { type Response, Router } from 'express'
import { z } from 'zod'
import type { Db } from '../db/client.ts'
import { listDeadLetters, readDeadLetter, replayDeadLetter } from '../inbox/dead-letters.ts'
import { answerError } from './error-handler.ts'

export type DeadLetterParts = {
  db: Db
  /** Tells the queue of deliveries to route; has a deadline of its own and never rejects. */
  enqueue: (ids: number[]) => Promise<unknown>
}

const id = z
  .string()
  .regex(/^[1-9]\d{0,14}$/)
  .transform(Number)
const page = z.object({
  before: id.optional(),
  limit: id.pipe(z.number().max(200)).default(50),
})

/** Lists dead letters, newest first, shows one with its bytes in base64, and replays one. Needs a login in front. */
export function createDeadLetterRoutes({ db, enqueue }: DeadLetterParts): Router {
  const router = Router()

  router.get('/', async (req, res) => {
    const asked = page.safeParse(req.query)
    if (!asked.success) return unprocessable(res, '`before` must be an id, `limit` 1 to 200.')
    const letters = await listDeadLetters(db, asked.data)
    const full = letters.length === asked.data.limit
    res.json({ dead_letters: letters, next_before: full ? letters.at(-1)?.id : null })
  })

  router.get('/:id', async (req, res) => {
    const asked = id.safeParse(req.params.id)
    if (!asked.success) return unprocessable(res, NOT_AN_ID)
    const letter = await readDeadLetter(db, asked.data)
    if (!letter) return unknown(res)
    res.json(letter)
  })

  router.post('/:id/replay', async (req, res) => {
    const asked = id.safeParse(req.params.id)
    if (!asked.success) return unprocessable(res, NOT_AN_ID)
    if (!(await replayDeadLetter(db, asked.data))) return unknown(res)
    await enqueue([asked.data])
    res.json({ id: asked.data, state: 'new' })
  })

  return router
}

const NOT_AN_ID = 'The id must be a whole number.'

function unprocessable(res: Response, description: string): void {
  answerError(res, 422, 1, { message: 'UNPROCESSABLE', description })
}

function unknown(res: Response): void {
  answerError(res, 404, 1, { message: 'NOT_FOUND', description: 'There is no dead letter with this id.' })
}
