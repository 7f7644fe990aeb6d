import type dns from 'node:dns'
import http from 'node:http'
import https from 'node:https'
import { createSafeAgents, RefusedAddress, type SafeAgents } from './safe-agents.ts'

/** How a request ended: with an answer, of which `text` is the beginning, or without one. `ms`: how long it took. */
export type Posted =
  | { status: number; retryAfter: string | undefined; text: string; ms: number }
  | { status: undefined; error: string; ms: number }

export type Post = { url: string; headers: Record<string, string>; body: string }

export type EventClient = {
  /** Posts to a URL. Never rejects, and resolves within the deadline. */
  post(request: Post): Promise<Posted>
  /** Closes the connections that are kept for later requests. */
  close(): void
}

const DEADLINE_MS = 15_000
/** An answer is read so far: its connection can be used again if it ends by then. */
const MAX_ANSWER_BYTES = 64 * 1_024
const SHOWN_BYTES = 1_024
const STALE_MS = 500

type Options = { allowPrivate: boolean; deadlineMs?: number; lookup?: typeof dns.lookup }

/** A client that posts to public addresses only, and follows no redirect. `lookup`: DNS, for tests. */
export function createEventClient({ allowPrivate, deadlineMs = DEADLINE_MS, lookup }: Options): EventClient {
  const agents = createSafeAgents(allowPrivate, lookup)
  return {
    async post(request) {
      const began = performance.now()
      const tookMs = () => Math.round(performance.now() - began)
      try {
        const answer = await postAgainIfStale(agents, request, deadlineMs)
        return { ...answer, ms: tookMs() }
      } catch (error) {
        return { status: undefined, error: codeOf(error), ms: tookMs() }
      }
    },
    close: agents.close,
  }
}

type Answer = { status: number; retryAfter: string | undefined; text: string }

/** A kept connection may have been closed by the other side just before it was used. */
async function postAgainIfStale(agents: SafeAgents, request: Post, deadlineMs: number): Promise<Answer> {
  try {
    return await postOnce(agents, request, deadlineMs)
  } catch (error) {
    if (!(error instanceof StaleConnection)) throw error
    return postOnce(agents, request, deadlineMs)
  }
}

/** @throws RefusedAddress, StaleConnection, DeadlineError, or what the network or TLS says */
function postOnce(agents: SafeAgents, { url, headers, body }: Post, deadlineMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let hasAnswer = false
    const began = performance.now()
    const to = new URL(url)
    const { agent, isAllowed } = agents.optionsFor(to)
    const send = to.protocol === 'https:' ? https.request : http.request
    const length = { 'content-length': Buffer.byteLength(body) }
    const request = send(to, { method: 'POST', headers: { ...headers, ...length }, agent })
    const deadline = setTimeout(() => request.destroy(new DeadlineError()), deadlineMs)
    request.on('socket', (socket) => {
      if (socket.connecting)
        socket.once('connect', () => {
          if (!isAllowed(socket.remoteAddress ?? '')) request.destroy(new RefusedAddress())
        })
    })
    request.on('response', (response) => {
      hasAnswer = true
      void readStart(response).then((text) => resolve(toAnswer(response, text)))
    })
    request.on('error', (error) => {
      if (!hasAnswer) reject(isStale(request, error, began) ? new StaleConnection() : error)
    })
    request.on('close', () => clearTimeout(deadline))
    request.end(body)
  })
}

function toAnswer({ statusCode = 0, headers }: http.IncomingMessage, text: string): Answer {
  return { status: statusCode, retryAfter: headers['retry-after'], text }
}

/** The beginning of an answer's body. The status counts also if the body does not end well. */
async function readStart(response: http.IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      if (bytes < SHOWN_BYTES) parts.push(part)
      bytes += part.length
      if (bytes > MAX_ANSWER_BYTES) break
    }
  } catch {}
  return Buffer.concat(parts).subarray(0, SHOWN_BYTES).toString().replaceAll('\0', '�')
}

/** A connection that ends later than at once has probably carried the request. */
function isStale(request: http.ClientRequest, error: Error, began: number): boolean {
  const isSoon = performance.now() - began < STALE_MS
  return request.reusedSocket && isSoon && /^(ECONNRESET|EPIPE)$/.test(codeOf(error))
}

class StaleConnection extends Error {}

class DeadlineError extends Error {
  readonly code = 'DEADLINE'
}

/** The code of an error: it holds nothing of the URL or the answer. */
function codeOf(error: unknown): string {
  const { code, name } = error as Error & { code?: unknown }
  return typeof code === 'string' ? code : name
}
