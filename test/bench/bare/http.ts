import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { signatureMatches } from '../../../src/http/signature.ts'

/** `node:http` that answers 200 after the signature check and does nothing else. */
const secret = process.env.META_APP_SECRET ?? ''

const server = createServer((req, res) => {
  const chunks: Buffer[] = []
  req.on('data', (chunk) => chunks.push(chunk))
  req.once('end', () => {
    const genuine = signatureMatches(Buffer.concat(chunks), req.headers['x-hub-signature-256'], [secret])
    res.writeHead(genuine ? 200 : 401, { 'content-type': 'text/plain', 'content-length': 2 }).end('ok')
  })
}).listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ msg: 'up', url: `http://127.0.0.1:${port}` })}\n`)
})
process.once('SIGTERM', () => process.exit(0))
