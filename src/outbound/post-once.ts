import http from 'node:http'
import https from 'node:https'
import type { Failure, GraphReply } from './send-errors.ts'

/**
 * Each request has a connection of its own: a connection that was idle may be one that the other side has just closed,
 * and then nobody could tell whether the request was processed. TLS sessions are resumed, which saves half of a handshake.
 */
const AGENTS = {
  'http:': new http.Agent({ keepAlive: false }),
  'https:': new https.Agent({ keepAlive: false, maxCachedSessions: 16 }),
}

/** A request that got no reply. */
export class NoReply extends Error {
  override name = 'NoReply'
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.code)
    this.failure = failure
  }
}

type Post = { url: string; headers: Record<string, string>; body: string; deadlineMs: number }

/**
 * Posts one body over a new connection, follows no redirect, and resolves with the reply, its body as text.
 * @throws NoReply, which says whether anything of the request may have left this process
 */
export function postOnce({ url, headers, body, deadlineMs }: Post): Promise<GraphReply> {
  return new Promise((resolve, reject) => {
    let hasLeft = false
    const fail = (error: unknown) => reject(new NoReply({ code: codeOf(error), hasLeft }))
    try {
      const to = new URL(url)
      const isTls = to.protocol === 'https:'
      const options = { method: 'POST', headers, agent: isTls ? AGENTS['https:'] : AGENTS['http:'] }
      const request = (isTls ? https : http).request(to, options, (response) => {
        readText(response).then((text) => {
          const { statusCode = 0, headers } = response
          resolve({ status: statusCode, retryAfter: headers['retry-after'] ?? null, body: text })
        }, fail)
      })
      const deadline = setTimeout(() => request.destroy(new DeadlineError()), deadlineMs)
      request.on('socket', (socket) =>
        socket.once(isTls ? 'secureConnect' : 'connect', () => {
          hasLeft = true
        }),
      )
      request.on('error', fail).on('close', () => clearTimeout(deadline))
      request.end(body)
    } catch (error) {
      fail(error)
    }
  })
}

class DeadlineError extends Error {
  readonly code = 'TimeoutError'
}

async function readText(response: http.IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

function codeOf(error: unknown): string {
  const { code, name } = error as Error & { code?: unknown }
  return typeof code === 'string' ? code : name
}
