import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import { createRecentIds } from './recent-ids.ts'

/** An event as it arrives, also one that tests an endpoint. */
export type ArrivedEvent = { id: string; type: string; timestamp: string; data: Record<string, unknown> }

/** A request that arrived. `refused`: why it is not taken. `isRepeated`: an event with this id has arrived before. */
export type Arrival =
  | { event: ArrivedEvent; isRepeated: boolean; refused?: undefined }
  | { event?: undefined; refused: string }

export type EventListener = {
  url: string
  /** Stops listening and cuts the connections that are open. */
  stop(): void
}

type Options = {
  host: string
  /** 0: any free one. */
  port: number
  /** The secret of the endpoint; it may be known later than the URL. */
  secret: () => string
  onArrival: (arrival: Arrival) => void
}

/**
 * Starts a receiver of the events of a webhook endpoint, which takes what is signed with the secret and answers 401 to
 * everything else.
 * @throws Error with the code EADDRINUSE for a port that is taken
 */
export async function startEventListener({ host, port, secret, onArrival }: Options): Promise<EventListener> {
  const isRepeated = createRecentIds()
  const server = createServer(async (req, res) => {
    const body = await text(req).catch(() => undefined)
    // The connection was cut.
    if (body === undefined) return
    const { event, refused = 'it is no event' } = read(req, body, secret())
    res.writeHead(event ? 204 : 401).end()
    onArrival(event ? { event, isRepeated: isRepeated(event.id) } : { refused })
  })
  server.listen(port, host)
  await once(server, 'listening')
  return { url: urlOf(server, host), stop: () => stop(server) }
}

/** The verifier of Standard Webhooks also refuses what is older than five minutes. */
function read({ headers }: IncomingMessage, body: string, secret: string) {
  try {
    return { event: new Webhook(secret).verify(body, headers as Record<string, string>) as ArrivedEvent }
  } catch (error) {
    return { refused: error instanceof Error ? error.message : undefined }
  }
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}/`
}

function stop(server: Server): void {
  server.close()
  server.closeAllConnections()
}
