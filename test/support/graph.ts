import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll } from 'vitest'

export type GraphRequest = { path: string; authorization: string | undefined; body: Record<string, unknown> }
export type Reply = (res: ServerResponse, req: IncomingMessage) => void

const stops = new Set<() => void>()

// Registered while the test file is being loaded: no stand-in outlives it.
afterAll(() => {
  for (const stop of stops) stop()
  stops.clear()
})

/** A reply with a status, a JSON body and headers. */
export const replies =
  (status: number, body: unknown, headers: Record<string, string> = {}): Reply =>
  (res) => {
    res.writeHead(status, { 'content-type': 'application/json', ...headers })
    res.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

let counter = 0
/** Meta's answer to a message it takes. */
export const accepts: Reply = (res, req) =>
  replies(200, { messages: [{ id: `wamid.SENT.${process.pid}.${counter++}` }], contacts: [] })(res, req)

export const refuses = (code: number, status = 400) => replies(status, { error: { code, message: 'no' } })

/** A stand-in Graph API: answers by its script, one reply a request, and accepts when the script is over. */
export async function startGraph(...script: Reply[]) {
  const requests: GraphRequest[] = []
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk)
    const body = JSON.parse(Buffer.concat(chunks).toString())
    requests.push({ path: req.url ?? '', authorization: req.headers.authorization, body })
    const reply = script.shift() ?? accepts
    reply(res, req)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const stop = () => {
    server.closeAllConnections()
    server.close()
  }
  stops.add(stop)
  return { url: `http://127.0.0.1:${port}`, requests, script, stop }
}
