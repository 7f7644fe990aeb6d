import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import { signatureMatches, wordsMatch } from '../http/signature.ts'
import { InboxFullError } from '../inbox/save.ts'
import type { Logger } from '../logger.ts'
import type { Metrics, Refusal } from '../metrics.ts'
import { oncePerSecond } from '../once-per-second.ts'
import { createBodyReader } from './read-body.ts'

export type ReceiverParts = {
  /** App secrets; a body signed with any of them is let in. */
  appSecrets: readonly string[]
  verifyToken: string
  /** Resolves when the raw bytes are safe; the answer 200 waits for it. */
  save: (body: Buffer) => Promise<void>
  metrics: Pick<Metrics, 'acknowledged' | 'refused' | 'answerSeconds'>
  log: Logger
}

type Answer = { status: number; text: string; headers?: Record<string, string> }
type Outcome = { ok: string } | { refused: Refusal } | 'aborted'

const MAX_CHALLENGE = 1_000
const LINGER_MS = 1_000

const RETRY_SOON = { 'retry-after': '5' }
const REFUSED: Record<Refusal, Answer> = {
  signature: refusal(401),
  handshake: refusal(403),
  method: refusal(405, { allow: 'GET, POST' }),
  too_large: refusal(413),
  encoding: refusal(415),
  store: refusal(503, RETRY_SOON),
  full: refusal(503, RETRY_SOON),
}

/**
 * The webhook door as a plain node handler: mount it before anything that reads bodies. It looks at bytes,
 * never at content, and answers
 * - GET: 200 with the challenge, as Meta sent it, for the verify token; else 403;
 * - POST: 200 once `save` has resolved; 401 for a missing, malformed or wrong signature; 413 above 4 MB; 415
 *   for any content-encoding; 503 with Retry-After exactly when it could not be stored (Meta redelivers);
 * - any other verb: 405. An upload that breaks off is forgotten.
 */
export function createReceiver(parts: ReceiverParts): (req: IncomingMessage, res: ServerResponse) => void {
  const { metrics, save } = parts
  const readBody = createBodyReader()
  const warn = oncePerSecond(parts.log)

  async function receive(req: IncomingMessage): Promise<Outcome> {
    if (isEncoded(req)) return { refused: 'encoding' }
    const body = await readBody(req)
    if (body === 'aborted') return body
    if (typeof body === 'string') return { refused: body }
    if (!signatureMatches(body, req.headers['x-hub-signature-256'], parts.appSecrets)) {
      return { refused: 'signature' }
    }
    try {
      await save(body)
    } catch (error) {
      warn(error, 'the inbox cannot store deliveries: they are answered 503')
      return { refused: error instanceof InboxFullError ? 'full' : 'store' }
    }
    metrics.acknowledged.inc()
    return { ok: 'ok' }
  }

  async function outcomeOf(req: IncomingMessage): Promise<Outcome> {
    if (req.method === 'POST') return receive(req)
    if (req.method === 'GET') return shakeHands(req.url ?? '', parts.verifyToken)
    return { refused: 'method' }
  }

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const start = performance.now()
    const outcome = await outcomeOf(req)
    if (outcome === 'aborted') return
    if ('refused' in outcome) metrics.refused.inc({ reason: outcome.refused })
    answer(req, res, 'refused' in outcome ? REFUSED[outcome.refused] : { status: 200, text: outcome.ok })
    metrics.answerSeconds.observe((performance.now() - start) / 1_000)
  }

  return (req, res) => void handle(req, res)
}

function shakeHands(url: string, verifyToken: string): Outcome {
  const query = new URLSearchParams(url.slice(url.indexOf('?') + 1))
  const only = (name: string) => (query.getAll(name).length === 1 ? (query.get(name) ?? '') : '')
  const challenge = only('hub.challenge')
  const known = wordsMatch(only('hub.verify_token'), verifyToken)
  const asked = only('hub.mode') === 'subscribe' && challenge !== '' && challenge.length <= MAX_CHALLENGE
  return known && asked ? { ok: challenge } : { refused: 'handshake' }
}

/** The signature is over the bytes on the wire, so nothing is ever inflated. */
function isEncoded(req: IncomingMessage): boolean {
  return (req.headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity'
}

function answer(req: IncomingMessage, res: ServerResponse, { status, text, headers }: Answer): void {
  const unread = !req.complete
  res.writeHead(status, {
    ...headers,
    ...(unread && { connection: 'close' }),
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'x-content-type-options': 'nosniff',
  })
  if (unread) linger(req, res, text)
  else res.end(text)
}

/**
 * Answers a sender that is still sending, then hears it out for a moment: closing at once would reset the
 * connection, and the sender might never read the answer.
 */
function linger(req: IncomingMessage, res: ServerResponse, text: string): void {
  res.write(text)
  const timer = setTimeout(() => res.end(), LINGER_MS)
  req.once('close', () => {
    clearTimeout(timer)
    res.end()
  })
  req.resume()
}

function refusal(status: number, headers?: Record<string, string>): Answer {
  return { status, text: STATUS_CODES[status] ?? '', ...(headers && { headers }) }
}
