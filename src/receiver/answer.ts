import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { WebhookRefusal } from '../metrics/receiver.ts'

export type Answer = { status: number; text: string; headers?: Record<string, string> }

/** How long a connection stays open for a sender that is still sending. */
const LINGER_MS = 1_000

const RETRY_SOON = { 'retry-after': '5' }

/** The answer to a request that is refused. Meta sends a delivery again unless it is answered with 200. */
export const REFUSED: Record<WebhookRefusal, Answer> = {
  signature: refusal(401),
  handshake: refusal(403),
  method: refusal(405, { allow: 'GET, POST' }),
  too_large: refusal(413),
  encoding: refusal(415),
  store: refusal(503, RETRY_SOON),
  full: refusal(503, RETRY_SOON),
}

function refusal(status: number, headers?: Record<string, string>): Answer {
  return { status, text: STATUS_CODES[status] ?? '', ...(headers && { headers }) }
}

/** Sends an answer, and closes the connection when the request was not read to its end. */
export function sendAnswer(
  req: IncomingMessage,
  res: ServerResponse,
  { status, text, headers }: Answer,
): void {
  const isUnread = !req.complete
  res.writeHead(status, {
    ...headers,
    ...(isUnread && { connection: 'close' }),
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'x-content-type-options': 'nosniff',
  })
  if (isUnread) linger(req, res, text)
  else res.end(text)
}

/**
 * Sends the answer and drops what the sender still sends for a moment. Closing at once would reset the connection, and
 * the sender might never read the answer.
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
