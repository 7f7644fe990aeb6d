import type { Request, Response } from 'express'
import { awaitDurable } from '../db/durable.ts'
import { ApiError } from '../errors.ts'
import { admit } from './admit.ts'
import type { Answer, Pages } from './answer.ts'
import { actorOf } from './caller.ts'
import type { Endpoint, StreamedRequest } from './endpoint.ts'
import { requestIdOf } from './request-id.ts'
import { allowLongRequest } from './server.ts'
import type { ApiServices } from './services.ts'

/**
 * Answers a request whose body and answer are lines. Reads no faster than the client reads the answer. A client that goes
 * away ends the work after the batch that is running.
 * @throws what `admit` throws, and the error of invalid input
 */
export async function answerStream(
  endpoint: Endpoint,
  stream: NonNullable<Endpoint['stream']>,
  services: ApiServices,
  req: Request,
  res: Response,
): Promise<Answer> {
  const { org, caller, reopen } = await admit(endpoint, services, req, res)
  const { db } = services
  const { params, query } = req
  const request: StreamedRequest = { db, actor: actorOf(caller), reopen, input: req, params, query }
  const pages = stream(request)
  allowLongRequest(req)
  return { status: 200, body: undefined, pages: guard(pages, org.id, services, req, res) }
}

/** A failure after the first page is the last line: the status was sent before. */
async function* guard(
  pages: Pages,
  orgId: string,
  { db, announceEvents, log }: ApiServices,
  req: Request,
  res: Response,
): Pages {
  try {
    for await (const page of pages) {
      await awaitDurable(db)
      announceEvents([orgId])
      yield page
    }
  } catch (err) {
    const requestId = requestIdOf(res)
    if (req.destroyed && !req.complete)
      return log.info({ err, requestId }, 'the client of an API request went away before the answer ended')
    if (!res.headersSent) throw err
    const known = err instanceof ApiError
    if (!known) log.error({ err, requestId }, 'an API request failed')
    yield [(known ? err : new ApiError('INTERNAL_ERROR')).body]
  }
}
