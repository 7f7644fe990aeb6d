import type { AddressInfo } from 'node:net'
import express from 'express'
import { signatureMatches } from '../../../src/http/signature.ts'

/** Express that answers 200 after the signature check and does nothing else: no webhook on Express is faster. */
const secret = process.env.META_APP_SECRET ?? ''

const app = express().disable('x-powered-by').disable('etag')
app.post('/webhooks/whatsapp', express.raw({ type: () => true, limit: '4mb' }), (req, res) => {
  res.sendStatus(signatureMatches(req.body, req.headers['x-hub-signature-256'], [secret]) ? 200 : 401)
})
const server = app.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ msg: 'up', url: `http://127.0.0.1:${port}` })}\n`)
})
process.once('SIGTERM', () => process.exit(0))
