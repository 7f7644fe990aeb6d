import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import { atEndOf } from './at-end.ts'

/** A request to an endpoint, which the verifier of Standard Webhooks has accepted. */
export type Received = {
  /** The header `webhook-id`. */
  id: string
  // biome-ignore lint/suspicious/noExplicitAny: JSON
  event: any
  headers: IncomingHttpHeaders
  /** Whether it was answered 2xx. */
  isTaken: boolean
}

/** Answers a request, or leaves it unanswered. `take` says that it is answered 2xx. */
export type ReceiverReply = (res: ServerResponse, received: Received, take: () => void) => void

/** Takes the event. */
export const takes: ReceiverReply = (res, _received, take) => {
  take()
  res.writeHead(204).end()
}

/** Answers with this status. */
export const answers =
  (status: number, headers: Record<string, string> = {}): ReceiverReply =>
  (res) =>
    void res.writeHead(status, headers).end(`status ${status}`)

export type WebhookReceiver = {
  url: string
  /** What arrived, in order. */
  received: Received[]
  /** What arrived and was answered 2xx. */
  taken(): Received[]
  /** Requests that the verifier refused. */
  refused: string[]
  /** The secret that the requests must be signed with. */
  secret: string
  /** Replies so from now on. */
  set(reply: ReceiverReply): void
  /** Stops listening and cuts all connections, as a process that is killed does. */
  stop(): Promise<void>
  /** Listens on the same port again. */
  start(): Promise<void>
}

/** A receiver of webhooks on a free port of loopback that verifies each request; it takes all, until `set`. */
export async function startWebhookReceiver(until: 'test' | 'file' = 'test'): Promise<WebhookReceiver> {
  let reply = takes
  const receiver = { received: [] as Received[], refused: [] as string[], secret: '', url: '' }
  const server = createServer(async (req, res) => {
    res.on('error', () => {})
    const body = await text(req).catch(() => undefined)
    if (body === undefined) return
    try {
      const event = new Webhook(receiver.secret).verify(body, req.headers as Record<string, string>)
      const one: Received = {
        id: String(req.headers['webhook-id']),
        event,
        headers: req.headers,
        isTaken: false,
      }
      receiver.received.push(one)
      reply(res, one, () => {
        one.isTaken = true
      })
    } catch (error) {
      receiver.refused.push(String(error))
      res.writeHead(401).end()
    }
  })
  const start = async (port = 0) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  const stop = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  await start()
  const { port } = server.address() as AddressInfo
  atEndOf(until, stop)
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${port}/hooks`,
    taken: () => receiver.received.filter(({ isTaken }) => isTaken),
    set: (wanted: ReceiverReply) => {
      reply = wanted
    },
    stop,
    start: () => start(port),
  })
}
