import { once } from 'node:events'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { Logger } from '../logger.ts'

export type RunningServer = {
  /** The URL under which this machine reaches the server. */
  url: string
  port: number
  /**
   * Stops listening, lets running requests end, and closes connections as they become idle; after `deadlineMs` it closes
   * the remaining ones too. Resolves when no connection is left.
   */
  close(deadlineMs: number): Promise<void>
}

/**
 * In milliseconds. The defaults cut off clients that send their request too slowly, and keep idle connections longer
 * than the usual 60 s of a proxy, so that it is the proxy that closes them.
 */
export type ServerTimeouts = Required<
  Pick<
    ServerOptions,
    'requestTimeout' | 'headersTimeout' | 'connectionsCheckingInterval' | 'keepAliveTimeout'
  >
>

export type ServerParts = {
  host: string
  /** 0: any free port. */
  port: number
  /** The variable that sets the port, for the error message. */
  variable: 'PORT' | 'OPS_PORT'
  handler: RequestListener
  log: Logger
  /** From its abort on, each answer ends its connection, so that clients go elsewhere before the server closes. */
  ending?: AbortSignal
  timeouts?: ServerTimeouts
}

/** Thrown by `startServer`. The message says which variable to change. */
export class ListenError extends Error {
  override name = 'ListenError'
}

const TIMEOUTS: ServerTimeouts = {
  requestTimeout: 10_000,
  headersTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 65_000,
}
const IDLE_CHECK_MS = 50
const QUICK_TURN_MS = 2

/**
 * Starts an HTTP server; it listens once this resolves.
 * @throws ListenError when the port is in use, or this process may not listen on the port or the host.
 */
export async function startServer(parts: ServerParts): Promise<RunningServer> {
  const { host, handler, log, ending, timeouts = TIMEOUTS } = parts
  const server = createServer({ ...timeouts }, handler)
  server.maxRequestsPerSocket = 0
  server.on('clientError', refuseOrWait)
  await listen(server, parts)
  ending?.addEventListener('abort', () => server.prependListener('request', endConnection), { once: true })
  server.on('error', (err) => log.error({ err }, 'the HTTP server reported an error'))
  const { port } = server.address() as AddressInfo
  return { url: localUrl(host, port), port, close: (deadlineMs) => close(server, deadlineMs) }
}

/** The sockets whose request may take as long as it takes. */
const patientSockets = new WeakSet<Duplex>()
/** Such a request ends when neither side has sent a byte for so long. */
const STALLED_MS = 300_000

/** Exempts a request from `requestTimeout`. */
export function allowLongRequest(req: IncomingMessage): void {
  const { socket } = req
  patientSockets.add(socket)
  socket.setTimeout(STALLED_MS)
  req.once('close', () => patientSockets.delete(socket))
}

const BAD_REQUESTS: Record<string, string> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
}

/** Node keeps the answer that is being written on its socket. */
type Answering = Duplex & { _httpMessage?: ServerResponse | null }

/**
 * Does what Node does without a listener, except that a request that may be long goes on: Node reports it once. An answer that
 * has begun is cut off, because a second head would be read as a part of its body.
 */
function refuseOrWait({ code = '' }: NodeJS.ErrnoException, socket: Answering): void {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT' && patientSockets.has(socket)) return
  const status = BAD_REQUESTS[code] ?? '400 Bad Request'
  if (socket.writable && !socket._httpMessage?.headersSent)
    socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`)
  socket.destroy()
}

async function listen(server: Server, { host, port, variable }: ServerParts): Promise<void> {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    const advice = REASONS[(cause as NodeJS.ErrnoException).code ?? '']
    if (!advice) throw cause
    throw new ListenError(`Cannot listen on ${host}:${port}: ${advice(variable)}.`, { cause })
  }
}

const noSuchHost = (variable: string) =>
  `${variable.replace('PORT', 'HOST')} is not an address of this machine`
const REASONS: Record<string, (variable: string) => string> = {
  EADDRINUSE: (variable) => `the port is in use, set ${variable} to another`,
  EACCES: (variable) => `this user may not listen on the port, set ${variable} to one above 1023`,
  EADDRNOTAVAIL: noSuchHost,
  ENOTFOUND: noSuchHost,
}

const endConnection: RequestListener = (_req, res) => {
  res.shouldKeepAlive = false
}

async function close(server: Server, deadlineMs: number): Promise<void> {
  const closed = once(server, 'close')
  await takeConnections(server, deadlineMs / 2)
  server.close()
  // `server.close()` closes the connections that are idle at that moment, but not those that become idle later.
  const idleCheck = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS)
  const cutOff = setTimeout(() => server.closeAllConnections(), deadlineMs)
  await closed
  clearInterval(idleCheck)
  clearTimeout(cutOff)
}

/**
 * Resolves when the kernel has no connection for the server that Node has not taken yet, because the end of the listening
 * socket would reset it. Node takes one in each turn of its event loop. A turn that took long proves nothing: others may
 * have come after the server looked. A server that is overloaded gives up at `ms`.
 */
async function takeConnections(server: Server, ms: number): Promise<void> {
  let isNew = false
  const note = () => {
    isNew = true
  }
  server.on('connection', note)
  const end = performance.now() + ms
  for (let isDone = false; !isDone && performance.now() < end; ) {
    isNew = false
    const began = performance.now()
    await setImmediate()
    await setImmediate()
    isDone = !isNew && performance.now() - began <= QUICK_TURN_MS
  }
  server.off('connection', note)
}

function localUrl(host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::') return `http://localhost:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
