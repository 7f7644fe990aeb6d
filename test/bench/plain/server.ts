import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Queue } from 'bullmq'
import express from 'express'
import { signatureMatches } from '../../../src/http/signature.ts'
import { type PlainJob, type PlainMessage, type PlainStatus, QUEUE, redis } from './queue.ts'

/** The plain design's receiver: Express, its JSON parser, one `queue.add` for every message and status, then 200. */
type Envelope = {
  entry: { changes: { value: Value }[] }[]
}
type Value = {
  metadata: { phone_number_id: string }
  contacts?: unknown[]
  messages?: PlainMessage[]
  statuses?: PlainStatus[]
}

const secret = process.env.META_APP_SECRET ?? ''
const queue = new Queue<PlainJob>(QUEUE, {
  connection: redis(),
  defaultJobOptions: { attempts: 8, removeOnComplete: true },
})

function verify(req: IncomingMessage, _res: unknown, body: Buffer): void {
  if (!signatureMatches(body, req.headers['x-hub-signature-256'], [secret])) throw new Error('signature')
}

function jobsOf({ metadata, contacts, messages, statuses }: Value): PlainJob[] {
  const common = { phoneId: metadata.phone_number_id, receivedAt: Date.now(), contact: contacts?.[0] }
  return [
    ...(messages ?? []).map((message) => ({ ...common, message })),
    ...(statuses ?? []).map((status) => ({ ...common, status })),
  ]
}

const app = express().disable('x-powered-by').disable('etag')
app.post('/webhooks/whatsapp', express.json({ verify, limit: '4mb' }), async (req, res) => {
  const jobs = (req.body as Envelope).entry.flatMap(({ changes }) => changes.flatMap((c) => jobsOf(c.value)))
  await Promise.all(jobs.map((job) => queue.add('item', job)))
  res.sendStatus(200)
})
await queue.waitUntilReady()
const server = app.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ msg: 'up', url: `http://127.0.0.1:${port}` })}\n`)
})
process.once('SIGTERM', () => process.exit(0))
