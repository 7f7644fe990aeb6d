import { once } from 'node:events'
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from '../logger.ts'

export type RunningServer = {
  /** Where it can be reached from this machine. */
  url: string
  port: number
  /**
   * Stops listening, lets running requests end and closes connections as they fall idle; after `deadlineMs`
   * those that are left are cut off. Resolves when no connection is left.
   */
  close(deadlineMs: number): Promise<void>
}

/** In milliseconds; the defaults close a sender that trickles its request, and outlive a proxy's idle minute. */
export type ServerTimeouts = Required<
  Pick<
    ServerOptions,
    'requestTimeout' | 'headersTimeout' | 'connectionsCheckingInterval' | 'keepAliveTimeout'
  >
>

export type ServerParts = {
  host: string
  /** 0 takes any free port. */
  port: number
  /** Name of the variable that changes the port, for the error. */
  variable: 'PORT' | 'OPS_PORT'
  handler: RequestListener
  log: Logger
  timeouts?: ServerTimeouts
}

/** Thrown by `startServer`; the message says what to change. */
export class ListenError extends Error {
  override name = 'ListenError'
}

const TIMEOUTS: ServerTimeouts = {
  requestTimeout: 10_000,
  headersTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 65_000,
}
const SWEEP_MS = 50

/**
 * An HTTP server that listens once this resolves.
 * @throws ListenError when the port is taken, or port or host are not ours to take.
 */
export async function startServer(parts: ServerParts): Promise<RunningServer> {
  const { host, handler, log, timeouts = TIMEOUTS } = parts
  const server = createServer({ ...timeouts }, handler)
  server.maxRequestsPerSocket = 0
  await listen(server, parts)
  server.on('error', (err) => log.error({ err }, 'the HTTP server has a problem'))
  const { port } = server.address() as AddressInfo
  return { url: localUrl(host, port), port, close: (deadlineMs) => close(server, deadlineMs) }
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

const noSuchHost = (variable: string) => `${variable.replace('PORT', 'HOST')} is no address of this machine`
const REASONS: Record<string, (variable: string) => string> = {
  EADDRINUSE: (variable) => `the port is in use, set ${variable} to another`,
  EACCES: (variable) => `this user may not use the port, set ${variable} to one above 1023`,
  EADDRNOTAVAIL: noSuchHost,
  ENOTFOUND: noSuchHost,
}

async function close(server: Server, deadlineMs: number): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  // A connection whose last request has just ended counts as idle, and nobody else closes it.
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS)
  const cut = setTimeout(() => server.closeAllConnections(), deadlineMs)
  await closed
  clearInterval(sweep)
  clearTimeout(cut)
}

function localUrl(host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::') return `http://localhost:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
