import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request that the stand-in for Meta's Graph API received. */
export type Sent = { path: string; body: unknown }

/** Starts a Graph API on loopback that accepts every message and records it. No message leaves the machine. */
export async function startStandInGraph(): Promise<{ url: string; sent: Sent[]; close(): void }> {
  const sent: Sent[] = []
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk)
    const body = JSON.parse(Buffer.concat(chunks).toString() || '{}')
    sent.push({ path: req.url ?? '', body })
    const contacts = [{ input: body.to, wa_id: String(body.to).replace('+', '') }]
    const messages = [{ id: `wamid.SENT${sent.length}.${Date.now()}` }]
    res.setHeader('content-type', 'application/json')
    res.end(JSON.stringify({ messaging_product: 'whatsapp', contacts, messages }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, sent, close: () => server.close() }
}
