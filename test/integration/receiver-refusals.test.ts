import { once } from 'node:events'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { sign } from '../../src/http/signature.ts'
import { openSocket, send } from '../support/http.ts'
import { APP_SECRET, signed, startReceiver, whileInboxIsLocked } from '../support/receiver.ts'
import { waitingQueries } from '../support/waiting-queries.ts'

const { database, hook, post, stored, refusedFor } = await startReceiver()

const MAX = 4 * 1024 * 1024

describe('the receiver', () => {
  test.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'PROPFIND'])(
    'answers 405 to %s, with the methods that are allowed',
    async (method) => {
      const body = Buffer.from('{}')
      const headers = signed(body)
      const reply = await send(hook, { method, headers, ...(method !== 'HEAD' && { body }) })
      expect([reply.status, reply.headers.allow]).toEqual([405, 'GET, POST'])
      expect(await stored()).toEqual([])
    },
  )

  test.each(['gzip', 'br', 'deflate', 'x-unknown', 'identity, gzip'])(
    'answers 415 to the content-encoding %s, also if the signature is right',
    async (encoding) => {
      const reply = await post(gzipSync('{}'), { headers: { 'content-encoding': encoding } })
      expect(reply.status).toBe(415)
      expect(await stored()).toEqual([])
    },
  )

  test('accepts the content-encoding identity', async () => {
    expect((await post(Buffer.from('{}'), { headers: { 'content-encoding': 'Identity' } })).status).toBe(200)
  })

  test('answers 413 to a content-length above 4 MB before the first byte of the body', async () => {
    const { socket, closed } = await openSocket(hook)
    socket.write(`POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\ncontent-length: ${MAX + 1}\r\n\r\n`)
    const [head] = (await once(socket, 'data')) as [string]
    expect(head).toMatch(/^HTTP\/1.1 413 /)
    expect(head).toMatch(/connection: close/i)
    socket.destroy()
    await closed
  })

  test('lets a sender that goes on sending read the whole 413, and then closes its connection', async () => {
    const before = await refusedFor('too_large')
    const { socket, closed } = await openSocket(hook)
    socket.write(`POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\ncontent-length: ${MAX * 4}\r\n\r\n`)
    for (let i = 0; i < 16; i += 1) socket.write(Buffer.alloc(MAX / 4))
    expect(await closed).toMatch(/^HTTP\/1.1 413 [\s\S]*\r\n\r\nPayload Too Large$/)
    expect(await refusedFor('too_large')).toBe(before + 1)
  })

  test('answers 413 to more than 4 MB in chunks, and stores nothing', async () => {
    const chunks = Array.from({ length: 17 }, () => Buffer.alloc(MAX / 16))
    const reply = await post(Buffer.concat(chunks), { body: chunks })
    expect(reply.status).toBe(413)
    expect(await stored()).toEqual([])
  })

  test('answers 503 to a large upload while 128 MB are being uploaded, and accepts small ones', async () => {
    const sockets = await Promise.all(Array.from({ length: 33 }, () => openSocket(hook)))
    for (const { socket } of sockets) {
      socket.write(`POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\ncontent-length: ${MAX}\r\n\r\n`)
      socket.write(Buffer.alloc(MAX - 1))
    }
    const refused = await Promise.race(sockets.map(({ socket }) => once(socket, 'data')))
    expect(String(refused[0])).toMatch(/^HTTP\/1.1 503 [\s\S]*retry-after: 5/i)
    expect((await post(Buffer.alloc(60_000))).status).toBe(200)
    for (const { socket } of sockets) socket.destroy()
    await Promise.all(sockets.map(({ closed }) => closed))
    await expect.poll(async () => (await post(Buffer.alloc(MAX))).status).toBe(200)
  })
})

describe('an upload that breaks off', () => {
  test('is not stored and not answered, and the next delivery is accepted', async () => {
    const body = Buffer.from('{"half":"a body"}')
    const { socket, closed } = await openSocket(hook)
    const head = `POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\nx-hub-signature-256: ${sign(body, APP_SECRET)}\r\n`
    socket.write(`${head}content-length: ${body.length + 1}\r\n\r\n${body}`)
    socket.end()
    expect(await closed).not.toMatch(/ 200 /)
    expect((await post(Buffer.from('{}'))).status).toBe(200)
    expect(await stored()).toEqual([Buffer.from('{}')])
  })

  test('is stored if it broke off after its last byte', async () => {
    const body = Buffer.from('{"gone":true}')
    await whileInboxIsLocked(database, async () => {
      const { socket, closed } = await openSocket(hook)
      const head = `POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\nx-hub-signature-256: ${sign(body, APP_SECRET)}\r\n`
      socket.write(`${head}content-length: ${body.length}\r\n\r\n${body}`)
      await expect.poll(() => waitingQueries(database.db)).toHaveLength(1)
      socket.destroy()
      await closed
    })
    await expect.poll(stored).toEqual([body])
    expect((await post(Buffer.from('{}'))).status).toBe(200)
  })
})
