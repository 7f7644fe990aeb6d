import type { Request, Response } from 'express'
import { awaitDurable } from '../db/durable.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import { type Admitted, admit } from './admit.ts'
import type { Answer } from './answer.ts'
import { answerStream } from './answer-stream.ts'
import type { Endpoint } from './endpoint.ts'
import { answerOnce } from './idempotency.ts'
import { readBody, readIdempotencyKey } from './read-request.ts'
import { respond } from './respond.ts'
import type { ApiServices } from './services.ts'

/**
 * Serves one request: authenticates it, authorizes it, counts it under the limits, reads and validates it, runs the
 * handler. Nothing of the request
 * but its token and its path is read before it is authorized. Answers every error and never rejects.
 */
export async function serveEndpoint(
  endpoint: Endpoint,
  services: ApiServices,
  req: Request,
  res: Response,
): Promise<void> {
  await respond(endpoint, services.log, res, () =>
    endpoint.stream
      ? answerStream(endpoint, endpoint.stream, services, req, res)
      : answer(endpoint, services, req, res),
  )
}

async function answer(
  endpoint: Endpoint,
  services: ApiServices,
  req: Request,
  res: Response,
): Promise<Answer> {
  const { reopen: _, ...opened } = await admit(endpoint, services, req, res)
  try {
    return await perform(endpoint, services, opened, req, res)
  } finally {
    // An answer, and an error that names what it found, show nothing that a crash of PostgreSQL can undo.
    await awaitDurable(services.db)
  }
}

async function perform(
  endpoint: Endpoint,
  services: ApiServices,
  opened: Omit<Admitted, 'reopen'>,
  req: Request,
  res: Response,
): Promise<Answer> {
  const { db, limitOnce, installation } = services
  const { userId, partnerId, actorId } = opened.caller
  if (endpoint.body) await readBody(endpoint, req, res)
  const { params, query, body } = req
  const sends: OutboxRow[] = []
  const announceSends = (rows: OutboxRow[]) => void sends.push(...rows)
  const context = { ...opened, installation, limitOnce, announceSends }
  const run = endpoint.prepare({ ...context, params, query, body })
  const key = endpoint.idempotent ? readIdempotencyKey(endpoint, req) : undefined
  // The orgs and the role that a token covers may change between a request and its repetition.
  const request = [{ userId, partnerId, actorId }, endpoint.operationId, params, query, body]
  const { replayed, ...answer } =
    key === undefined
      ? { ...(await run(db)), replayed: false }
      : await answerOnce(db, { orgId: opened.org.id, key, request, shownOnce: endpoint.shownOnce }, run)
  if (replayed) res.set('idempotent-replayed', 'true')
  if (sends.length > 0) services.announceSends(sends)
  if (endpoint.method !== 'get') services.announceEvents([opened.org.id])
  return answer
}
