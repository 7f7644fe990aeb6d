import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { answerParent } from './child.ts'
import { type Latency, latencyOf } from './figures.ts'

/** `reset` forgets what arrived before. */
export type ToSink = { reset: boolean }
/** `lag`: from an event to its arrival. Times are milliseconds since the epoch. */
export type Sunk = { url: string; count: number; lastAt: number; lag: Latency | undefined }

/** A receiver of webhook endpoints, a process of its own: it answers at once, and looks at the time of the event only. */
const TIMESTAMP = /"timestamp":"([^"]+)"/
let lags: number[] = []
let lastAt = 0

const server = createServer(async (req, res) => {
  const body = await text(req)
  res.writeHead(204).end()
  lastAt = Date.now()
  lags.push(lastAt - Date.parse(TIMESTAMP.exec(body)?.[1] ?? ''))
}).listen(0, '127.0.0.1')
const listening = once(server, 'listening')

/**
 * The URL has a host name, because the URLs of real endpoints have one. Usher checks an IP address in a URL before each
 * request, and the address that a host name leads to once for each connection.
 */
answerParent(async ({ reset }: ToSink): Promise<Sunk> => {
  await listening
  if (reset) lags = []
  const { port } = server.address() as AddressInfo
  const lag = latencyOf(lags) ?? undefined
  return { url: `http://localhost:${port}/`, count: lags.length, lastAt, lag }
})
