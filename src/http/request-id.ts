import { randomUUID } from 'node:crypto'
import type { RequestHandler, Response } from 'express'

const HEADER = 'x-request-id'
const USABLE = /^[\w.:-]{1,100}$/

/** Names each request: as the caller does in `x-request-id`, where that is fit for a log, else anew. Answered too. */
export const nameRequest: RequestHandler = (req, res, next) => {
  const given = req.get(HEADER)
  res.set(HEADER, given !== undefined && USABLE.test(given) ? given : randomUUID())
  next()
}

/** The name of the request that is answered by this, for the log. */
export function requestIdOf(res: Response): string | undefined {
  return res.get(HEADER)
}
