import { once } from 'node:events'
import { gzipSync } from 'node:zlib'
import express from 'express'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/client.ts'
import { createApiApp, createPublicHandler } from '../../src/http/app.ts'
import { type RunningServer, startServer } from '../../src/http/server.ts'
import { sign } from '../../src/http/signature.ts'
import { createInboxWriter, type InboxWriter } from '../../src/inbox/save.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createReceiver } from '../../src/receiver/receive.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { measured } from '../support/figures.ts'
import { openSocket, type Reply, type Request, send } from '../support/http.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

const SECRET = 'canary-app-secret'
const OLD_SECRET = 'canary-old-secret'
const TOKEN = 'canary+verify/token ü'
const MAX = 4 * 1024 * 1024

let database: TestDatabase
let proxy: TcpProxy
let ownPool: ReturnType<typeof openDatabase>
let writer: InboxWriter
let server: RunningServer
let hook: string
let inserts: number[][]
let logged = ''
const metrics = createMetrics()
const log = pino(
  {},
  {
    write: (line) => {
      logged += line
    },
  },
)

/** The door reaches its database through a proxy, which plays the outages. */
beforeAll(async () => {
  database = await createTestDatabase()
  const { hostname, port } = new URL(database.url)
  proxy = await startTcpProxy({ host: hostname, port: Number(port) })
  const url = Object.assign(new URL(database.url), { hostname: '127.0.0.1', port: String(proxy.port) }).href
  ownPool = openDatabase(url, { max: 4, name: 'door', onLost: () => {} })
  writer = createInboxWriter({
    db: ownPool.db,
    onSaved: (ids) => {
      inserts.push(ids)
      throw new Error('the queue is down')
    },
    limits: { deadlineMs: 500, maxWaitingBytes: 8 * 1024 * 1024 },
  })
  const receiver = createReceiver({
    appSecrets: [SECRET, OLD_SECRET],
    verifyToken: TOKEN,
    save: writer.save,
    metrics,
    log,
  })
  const app = createApiApp({ routers: [express.Router().use('/mounted', receiver)], log })
  const handler = createPublicHandler({ receiver, app })
  server = await startServer({ host: '127.0.0.1', port: 0, variable: 'PORT', handler, log })
  hook = `${server.url}/webhooks/whatsapp`
})

afterAll(async () => {
  await server?.close(1_000)
  await writer?.close()
  await ownPool?.close()
  await proxy?.close()
})

beforeEach(async () => {
  await database.pool.query('truncate inbox')
  inserts = []
  logged = ''
})

const post = (body: Buffer, request: Request = {}): Promise<Reply> =>
  send(hook, {
    method: 'POST',
    body,
    ...request,
    headers: { 'x-hub-signature-256': sign(body, SECRET), ...request.headers },
  })

const stored = async (): Promise<Buffer[]> =>
  (await database.pool.query<{ body: Buffer }>('select body from inbox order by id')).rows.map((r) => r.body)

const refusedFor = async (reason: string): Promise<number> =>
  (await metrics.refused.get()).values.find((v) => v.labels.reason === reason)?.value ?? 0

describe('the handshake', () => {
  const ask = (params: [string, string][]) => send(`${hook}?${new URLSearchParams(params)}`)
  const right: [string, string][] = [
    ['hub.mode', 'subscribe'],
    ['hub.verify_token', TOKEN],
  ]

  test.each([['1158201444'], ['007'], ['1e3'], ['true'], ['<b>x</b> "ü+ %'], ['x'.repeat(1_000)]])(
    'echoes the challenge %s exactly, as plain text',
    async (challenge) => {
      const reply = await ask([...right, ['hub.challenge', challenge]])
      expect([reply.status, reply.body]).toEqual([200, challenge])
      expect(reply.headers['content-type']).toMatch(/^text\/plain/)
      expect(reply.headers['x-content-type-options']).toBe('nosniff')
    },
  )

  const refused: Record<string, [string, string][]> = {
    'nothing at all': [],
    'no challenge': right,
    'an empty challenge': [...right, ['hub.challenge', '']],
    'a challenge of 1,001 characters': [...right, ['hub.challenge', 'x'.repeat(1_001)]],
    'no token': [
      ['hub.mode', 'subscribe'],
      ['hub.challenge', '1'],
    ],
    'a wrong token': [
      ['hub.mode', 'subscribe'],
      ['hub.verify_token', `${TOKEN} `],
      ['hub.challenge', '1'],
    ],
    'another mode': [
      ['hub.mode', 'unsubscribe'],
      ['hub.verify_token', TOKEN],
      ['hub.challenge', '1'],
    ],
    'no mode': [
      ['hub.verify_token', TOKEN],
      ['hub.challenge', '1'],
    ],
    'two challenges': [...right, ['hub.challenge', '1'], ['hub.challenge', '2']],
    'two tokens': [...right, ['hub.verify_token', 'other'], ['hub.challenge', '1']],
    'two modes': [...right, ['hub.mode', 'subscribe'], ['hub.challenge', '1']],
  }
  test.each(Object.keys(refused))('answers 403 to %s', async (what) => {
    const before = await refusedFor('handshake')
    const reply = await ask(refused[what] ?? [])
    expect([reply.status, reply.body]).toEqual([403, 'Forbidden'])
    expect(await refusedFor('handshake')).toBe(before + 1)
  })
})

describe('a signed delivery', () => {
  test('is stored and then answered 200', async () => {
    const before = (await metrics.acknowledged.get()).values[0]?.value ?? 0
    const body = Buffer.from('{"object":"whatsapp_business_account","entry":[]}')
    const reply = await post(body)
    expect([reply.status, reply.body]).toEqual([200, 'ok'])
    expect(await stored()).toEqual([body])
    expect((await metrics.acknowledged.get()).values[0]?.value).toBe(before + 1)
  })

  test('may be signed with any of the secrets', async () => {
    const body = Buffer.from('{}')
    const reply = await post(body, { headers: { 'x-hub-signature-256': sign(body, OLD_SECRET) } })
    expect(reply.status).toBe(200)
  })

  const hostile: Record<string, Buffer> = {
    'an empty body': Buffer.alloc(0),
    'not JSON': Buffer.from('what is this'),
    'JSON but no object': Buffer.from('[1e400, null]'),
    'an unknown object': Buffer.from('{"object":"page","entry":[{}]}'),
    'escaped NUL': Buffer.from('{"a":"\\u0000"}'),
    'raw NUL bytes': Buffer.from([0, 1, 0, 255, 0]),
    'invalid UTF-8': Buffer.from([0x7b, 0xc3, 0x28, 0xff, 0xfe, 0xed, 0xa0, 0x80, 0x7d]),
    'a byte order mark': Buffer.from('\ufeff{}'),
    'lone surrogates': Buffer.from('{"a":"\\ud800","b":"\\udc00x"}'),
    '__proto__ and constructor': Buffer.from('{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}}}'),
    '100,000 levels of arrays': Buffer.from('['.repeat(100_000) + ']'.repeat(100_000)),
    '100,000 levels of objects': Buffer.from(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`),
    'SQL and quotes': Buffer.from(`'); drop table inbox; -- \\x00 {NULL,"a"}`),
    'every byte there is': Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
    '3 MB': Buffer.alloc(3_000_000, 'ab\u0000'),
    'exactly 4 MB': Buffer.alloc(MAX, 7),
  }
  test.each(Object.keys(hostile))('of %s is kept byte for byte and answered 200', async (what) => {
    const body = hostile[what] ?? Buffer.alloc(0)
    expect((await post(body)).status).toBe(200)
    const rows = await stored()
    expect(rows.length).toBe(1)
    expect(rows[0]?.equals(body)).toBe(true)
  })

  test('may come in chunks, without content-length', async () => {
    const chunks = [Buffer.from('{"a":'), Buffer.from('"é'.repeat(9)), Buffer.alloc(300_000, 1)]
    const body = Buffer.concat(chunks)
    expect((await post(body, { body: chunks })).status).toBe(200)
    expect((await stored())[0]?.equals(body)).toBe(true)
  })

  test.each(['/webhooks/whatsapp/', '/webhooks/whatsapp?a=1', '/webhooks/whatsapp/?a=1', '/mounted'])(
    'is taken at %s too',
    async (path) => {
      const body = Buffer.from('{}')
      const headers = { 'x-hub-signature-256': sign(body, SECRET) }
      expect((await send(server.url + path, { method: 'POST', body, headers })).status).toBe(200)
      expect((await stored()).length).toBe(1)
    },
  )

  test.each(['/webhooks/whatsapp/x', '/webhooks/whatsappx', '/webhooks', '/x/webhooks/whatsapp'])(
    'is not taken at %s',
    async (path) => {
      const body = Buffer.from('{}')
      const headers = { 'x-hub-signature-256': sign(body, SECRET) }
      const reply = await send(server.url + path, { method: 'POST', body, headers })
      expect(reply.status).toBe(404)
      expect(JSON.parse(reply.body)).toMatchObject({ error_code: 4040001, payload: {} })
      expect(await stored()).toEqual([])
    },
  )

  test('in a crowd shares its insert with others, and each is stored once', async () => {
    const bodies = Array.from({ length: 300 }, (_, i) => Buffer.from(`{"n":${i}}`))
    const replies = await Promise.all(bodies.map((body) => post(body)))
    expect(replies.every((reply) => reply.status === 200)).toBe(true)
    expect(new Set((await stored()).map(String))).toEqual(new Set(bodies.map(String)))
    expect(inserts.flat().length).toBe(300)
    expect(inserts.length).toBeLessThan(150)
  })

  test('is answered 200 even when telling the queue fails', async () => {
    expect((await post(Buffer.from('{}'))).status).toBe(200)
    expect(inserts.length).toBe(1)
  })
})

describe('a delivery whose signature is', () => {
  const body = Buffer.from('{"object":"whatsapp_business_account","entry":[]}')
  const right = sign(body, SECRET)
  const wrong: Record<string, string | string[] | undefined> = {
    missing: undefined,
    empty: '',
    'without its prefix': right.slice(7),
    'of the old kind': right.replace('sha256', 'sha1'),
    'in upper case': right.toUpperCase(),
    'too short': right.slice(0, -1),
    'too long': `${right}0`,
    'not hexadecimal': `${right.slice(0, -1)}g`,
    'off by one digit': right.slice(0, -1) + (right.endsWith('0') ? '1' : '0'),
    'made with another secret': sign(body, 'other'),
    'made over other bytes': sign(Buffer.from('{}'), SECRET),
    'sent twice': [right, right],
  }
  test.each(Object.keys(wrong))('%s is answered 401 without a reason and changes nothing', async (what) => {
    const before = await refusedFor('signature')
    const header = wrong[what]
    const headers = header === undefined ? {} : { 'x-hub-signature-256': header }
    const reply = await send(hook, { method: 'POST', body, headers })
    expect([reply.status, reply.body]).toEqual([401, 'Unauthorized'])
    expect(await stored()).toEqual([])
    expect(await refusedFor('signature')).toBe(before + 1)
    expect(logged).toBe('')
    measured(21, { of: 'kinds of wrong signature', n: Object.keys(wrong).length, wrong: 0 })
  })
})

describe('refused before it is read', () => {
  test.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'PROPFIND'])(
    '%s: 405, with the verbs that are allowed',
    async (method) => {
      const body = Buffer.from('{}')
      const headers = { 'x-hub-signature-256': sign(body, SECRET) }
      const reply = await send(hook, { method, headers, ...(method !== 'HEAD' && { body }) })
      expect([reply.status, reply.headers.allow]).toEqual([405, 'GET, POST'])
      expect(await stored()).toEqual([])
    },
  )

  test.each(['gzip', 'br', 'deflate', 'x-unknown', 'identity, gzip'])(
    'content-encoding %s: 415, however well signed',
    async (encoding) => {
      const reply = await post(gzipSync('{}'), { headers: { 'content-encoding': encoding } })
      expect(reply.status).toBe(415)
      expect(await stored()).toEqual([])
    },
  )

  test('content-encoding identity is none', async () => {
    expect((await post(Buffer.from('{}'), { headers: { 'content-encoding': 'Identity' } })).status).toBe(200)
  })

  test('a content-length above 4 MB: 413 before the first byte of the body', async () => {
    const { socket, closed } = await openSocket(hook)
    socket.write(`POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\ncontent-length: ${MAX + 1}\r\n\r\n`)
    const [head] = (await once(socket, 'data')) as [string]
    expect(head).toMatch(/^HTTP\/1.1 413 /)
    expect(head).toMatch(/connection: close/i)
    socket.destroy()
    await closed
  })

  test('a sender that goes on sending reads the whole 413, and then its connection is closed', async () => {
    const before = await refusedFor('too_large')
    const { socket, closed } = await openSocket(hook)
    socket.write(`POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\ncontent-length: ${MAX * 4}\r\n\r\n`)
    for (let i = 0; i < 16; i += 1) socket.write(Buffer.alloc(MAX / 4))
    expect(await closed).toMatch(/^HTTP\/1.1 413 [\s\S]*\r\n\r\nPayload Too Large$/)
    expect(await refusedFor('too_large')).toBe(before + 1)
  })

  test('more than 4 MB in chunks: 413, and nothing is stored', async () => {
    const chunks = Array.from({ length: 17 }, () => Buffer.alloc(MAX / 16))
    const reply = await post(Buffer.concat(chunks), { body: chunks })
    expect(reply.status).toBe(413)
    expect(await stored()).toEqual([])
  })

  test('big uploads when 128 MB are under way already: 503, while small ones pass', async () => {
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
  test('stores nothing, is not answered, and hurts nobody else', async () => {
    const body = Buffer.from('{"half":"a body"}')
    const { socket, closed } = await openSocket(hook)
    const head = `POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\nx-hub-signature-256: ${sign(body, SECRET)}\r\n`
    socket.write(`${head}content-length: ${body.length + 1}\r\n\r\n${body}`)
    socket.end()
    expect(await closed).not.toMatch(/ 200 /)
    expect((await post(Buffer.from('{}'))).status).toBe(200)
    expect(await stored()).toEqual([Buffer.from('{}')])
  })

  test('after its last byte is stored all the same, though nobody reads the answer', async () => {
    const body = Buffer.from('{"gone":true}')
    await whileLocked(async (waiting) => {
      const { socket, closed } = await openSocket(hook)
      const head = `POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\nx-hub-signature-256: ${sign(body, SECRET)}\r\n`
      socket.write(`${head}content-length: ${body.length}\r\n\r\n${body}`)
      await expect.poll(waiting).toBe(1)
      socket.destroy()
      await closed
    })
    await expect.poll(stored).toEqual([body])
    expect((await post(Buffer.from('{}'))).status).toBe(200)
  })
})

describe('when the database is', () => {
  const timed = async (body: Buffer) => {
    const start = performance.now()
    const reply = await post(body)
    return { ...reply, ms: performance.now() - start }
  }

  test.each(['refuse', 'reset', 'blackhole'] as const)(
    'gone (%s), the door answers 503 in time, and 200 again once it is back',
    async (outage) => {
      expect((await post(Buffer.from('before'))).status).toBe(200)
      const before = await refusedFor('store')
      await proxy.set(outage)
      const replies = await Promise.all(Array.from({ length: 20 }, () => timed(Buffer.from('during'))))
      expect(replies.map((r) => [r.status, r.headers['retry-after']])).toEqual(Array(20).fill([503, '5']))
      expect(Math.max(...replies.map((r) => r.ms))).toBeLessThan(1_500)
      expect(await refusedFor('store')).toBe(before + 20)
      await proxy.set('pass')
      await expect.poll(async () => (await post(Buffer.from('after'))).status, { timeout: 10_000 }).toBe(200)
      expect((await stored()).map(String)).toEqual(['before', 'after'])
    },
  )

  test('slow, at most so many bytes wait for it; the next is answered 503 at once', async () => {
    const before = await refusedFor('full')
    await whileLocked(async () => {
      const replies = Array.from({ length: 4 }, () => timed(Buffer.alloc(2_500_000)))
      const first = await Promise.race(replies)
      expect([first.status, first.headers['retry-after']]).toEqual([503, '5'])
      expect(await refusedFor('full')).toBe(before + 1)
      await Promise.all(replies)
    })
    await expect.poll(async () => (await post(Buffer.alloc(2_500_000))).status).toBe(200)
  })
})

test('an outage is logged once a second, without a body or a secret', async () => {
  const save = () => Promise.reject(new Error('the database is down'))
  const receiver = createReceiver({ appSecrets: [SECRET], verifyToken: TOKEN, save, metrics, log })
  const failing = await startServer({ host: '127.0.0.1', port: 0, variable: 'PORT', handler: receiver, log })
  const body = Buffer.from('{"text":"canary-text"}')
  const headers = { 'x-hub-signature-256': sign(body, SECRET) }
  const replies = Array.from({ length: 50 }, () => send(failing.url, { method: 'POST', body, headers }))
  expect((await Promise.all(replies)).map((reply) => reply.status)).toEqual(Array(50).fill(503))
  await failing.close(1_000)
  expect(logged.match(/the database is down/g)?.length).toBeLessThanOrEqual(2)
  expect(logged).toMatch(/the inbox could not store a delivery/)
  expect(logged).not.toMatch(/canary/)
})

const WAITING = `select from pg_locks where not granted
  and database = (select oid from pg_database where datname = current_database())`

/** Holds the inbox's table; `waiting` tells how many statements wait for it. */
async function whileLocked(work: (waiting: () => Promise<number>) => Promise<void>): Promise<void> {
  const client = await database.pool.connect()
  try {
    await client.query('begin; lock table inbox in access exclusive mode')
    await work(async () => (await client.query(WAITING)).rowCount ?? 0)
  } finally {
    await client.query('rollback')
    client.release()
  }
}
