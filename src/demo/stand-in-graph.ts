import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request that the stand-in for Meta's Graph API received. */
export type GraphRequest = { path: string; authorization: string | undefined; body: Record<string, unknown> }

/** How the stand-in answers a request. */
export type Reply = (res: ServerResponse, request: GraphRequest) => void

export type StandInGraph = {
  url: string
  /** All requests so far. */
  requests: GraphRequest[]
  /** Stops listening and cuts the connections that are open. */
  stop(): void
}

let accepted = 0

/** An id for an accepted message, unlike any other. */
export const newSentId = () => `wamid.SENT.${process.pid}.${Date.now().toString(36)}.${accepted++}`

/** Meta's answer to a message that it accepts. */
export const accept: Reply = (res, { body }) => {
  const contacts = [{ input: body.to, wa_id: String(body.to).replace('+', '') }]
  const answer = { messaging_product: 'whatsapp', contacts, messages: [{ id: newSentId() }] }
  res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
}

/**
 * Starts a Graph API on a free port of loopback that records all requests and accepts every message, unless `reply`
 * answers in another way. No message leaves the machine. A request that is cut off before it was read is not recorded.
 */
export async function startStandInGraph(reply: Reply = accept): Promise<StandInGraph> {
  const requests: GraphRequest[] = []
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of req) chunks.push(chunk)
    } catch {
      return
    }
    const body = JSON.parse(Buffer.concat(chunks).toString() || '{}')
    const request = { path: req.url ?? '', authorization: req.headers.authorization, body }
    requests.push(request)
    reply(res, request)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const stop = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${port}`, requests, stop }
}
