import { randomUUID } from 'node:crypto'
import type { RequestHandler, Response } from 'express'

const HEADER = 'x-request-id'
const USABLE = /^[\w.:-]{1,100}$/

/** Gives each request an id: the caller's `x-request-id` where it is safe to log, else a new UUID. The answer has it too. */
export const assignRequestId: RequestHandler = (req, res, next) => {
  const given = req.get(HEADER)
  res.set(HEADER, given !== undefined && USABLE.test(given) ? given : randomUUID())
  next()
}

/** The id of the request that this response answers. */
export function requestIdOf(res: Response): string | undefined {
  return res.get(HEADER)
}
