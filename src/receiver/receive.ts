import type { IncomingMessage, ServerResponse } from 'node:http'
import { signatureMatches } from '../http/signature.ts'
import { InboxFullError } from '../inbox/waiting-room.ts'
import type { Logger } from '../logger.ts'
import type { WebhookRefusal } from '../metrics/receiver.ts'
import type { Metrics } from '../metrics.ts'
import { oncePerSecond } from '../once-per-second.ts'
import { REFUSED, sendAnswer } from './answer.ts'
import { readChallenge, TOKEN_PARAMETER } from './handshake.ts'
import { createBodyReader } from './read-body.ts'
import type { UnprovenReason } from './refusals.ts'

export type ReceiverParts = {
  /** App secrets. A body is accepted when any one of them signed it, so that secrets can be rotated. */
  appSecrets: readonly string[]
  /** Verify tokens of the handshake; any one of them is accepted. */
  verifyTokens: readonly string[]
  /** Resolves when the raw bytes are durable; the answer 200 waits for it. */
  save: (body: Buffer) => Promise<void>
  /** Called for each request that proves no secret. */
  reportRefusal: (reason: UnprovenReason) => void
  metrics: Pick<Metrics, 'acknowledged' | 'refused' | 'answerSeconds'>
  log: Logger
}

type Result = { ok: string } | { refused: WebhookRefusal } | 'aborted'

/**
 * Creates the webhook receiver, a plain node handler, which `src/receiver/routes.ts` makes an Express router. It must come
 * before anything that reads request bodies. It checks bytes, never content, and answers
 * - GET: 200 and the challenge for the right verify token, 403 for anything else;
 * - POST: 200 after `save` has resolved; 401 for a missing, malformed or wrong signature; 413 above 4 MB; 415 for any
 *   content-encoding; 503 with Retry-After exactly when the body could not be stored, so that Meta sends it again;
 * - any other method: 405.
 * An upload that breaks off is dropped without an answer.
 */
export function createReceiver(parts: ReceiverParts): (req: IncomingMessage, res: ServerResponse) => void {
  const { metrics, verifyTokens, reportRefusal } = parts
  const receive = createReceive(parts)

  function count(reason: WebhookRefusal, { url = '' }: IncomingMessage): void {
    metrics.refused.inc({ reason })
    // A GET without a token is somebody who looks, not a handshake of an app that is set up wrongly.
    const isUnproven = reason === 'signature' || (reason === 'handshake' && url.includes(TOKEN_PARAMETER))
    if (isUnproven) reportRefusal(reason)
  }

  async function process(req: IncomingMessage): Promise<Result> {
    if (req.method === 'POST') return receive(req)
    if (req.method !== 'GET') return { refused: 'method' }
    const challenge = readChallenge(req.url ?? '', verifyTokens)
    return challenge === undefined ? { refused: 'handshake' } : { ok: challenge }
  }

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const start = performance.now()
    const result = await process(req)
    if (result === 'aborted') return
    if ('refused' in result) count(result.refused, req)
    sendAnswer(req, res, 'refused' in result ? REFUSED[result.refused] : { status: 200, text: result.ok })
    metrics.answerSeconds.observe((performance.now() - start) / 1_000)
  }

  return (req, res) => void handle(req, res)
}

/** Creates the handler of POSTs, which reads the body, checks its signature and stores it. */
function createReceive(parts: ReceiverParts): (req: IncomingMessage) => Promise<Result> {
  const { appSecrets, save, metrics, log } = parts
  const readBody = createBodyReader()
  const warn = oncePerSecond(log)
  return async (req) => {
    if (isEncoded(req)) return { refused: 'encoding' }
    const body = await readBody(req)
    if (body === 'aborted') return body
    if (typeof body === 'string') return { refused: body }
    if (!signatureMatches(body, req.headers['x-hub-signature-256'], appSecrets)) {
      return { refused: 'signature' }
    }
    try {
      await save(body)
    } catch (error) {
      warn(error, 'the inbox could not store a delivery: the receiver answered 503')
      return { refused: error instanceof InboxFullError ? 'full' : 'store' }
    }
    metrics.acknowledged.inc()
    return { ok: 'ok' }
  }
}

/** Whether the body is compressed. The signature is over the bytes sent, so the receiver never decompresses a body. */
function isEncoded(req: IncomingMessage): boolean {
  return (req.headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity'
}
