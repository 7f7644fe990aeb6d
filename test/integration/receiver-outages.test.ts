import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../../src/db/client.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createReceiver } from '../../src/receiver/receive.ts'
import type { TestDatabase } from '../support/database.ts'
import { send } from '../support/http.ts'
import { SLOWNESS } from '../support/patience.ts'
import { APP_SECRET, signed, startReceiver, VERIFY_TOKEN, whileInboxIsLocked } from '../support/receiver.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

/** The deadline of an insert. A slow machine gets more, since an insert must be able to end within it. */
const DEADLINE_MS = 500 * SLOWNESS

/** The receiver reaches its database through a proxy, which simulates the outages. */
const { proxy, ...receiver } = await startBehindProxy()
const { database, post, stored, refusedFor } = receiver

async function startBehindProxy() {
  let proxy: TcpProxy | undefined
  const connect = async ({ url }: TestDatabase) => {
    const { hostname: host, port } = new URL(url)
    proxy = await startTcpProxy({ host, port: Number(port) })
    const through = Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(proxy.port) }).href
    const { db, close } = openDatabase(through, { max: 4, name: 'receiver', onLost: () => {} })
    afterAll(async () => {
      await close()
      await proxy?.close()
    })
    return db
  }
  const receiver = await startReceiver({ connect, deadlineMs: DEADLINE_MS })
  return { ...receiver, proxy: proxy! }
}

describe('the receiver', () => {
  const timed = async (body: Buffer) => {
    const start = performance.now()
    const reply = await post(body)
    return { ...reply, ms: performance.now() - start }
  }

  test.each(['refuse', 'reset', 'blackhole'] as const)(
    'answers 503 within the deadline while the database is away (%s), and 200 once it is back',
    async (outage) => {
      expect((await post(Buffer.from('before'))).status).toBe(200)
      const before = await refusedFor('store')
      await proxy.set(outage)
      const replies = await Promise.all(Array.from({ length: 20 }, () => timed(Buffer.from('during'))))
      expect(replies.map((r) => [r.status, r.headers['retry-after']])).toEqual(Array(20).fill([503, '5']))
      expect(Math.max(...replies.map((r) => r.ms))).toBeLessThan(3 * DEADLINE_MS)
      expect(await refusedFor('store')).toBe(before + 20)
      await proxy.set('pass')
      await expect.poll(async () => (await post(Buffer.from('after'))).status).toBe(200)
      // An insert that ended after its deadline is stored, although it was answered 503: Meta then sends it again.
      expect([...new Set((await stored()).map(String))]).toEqual(['before', 'after'])
    },
  )

  test('answers 503 at once if the bytes that wait for a slow database exceed the limit', async () => {
    const before = await refusedFor('full')
    await whileInboxIsLocked(database, async () => {
      const replies = Array.from({ length: 4 }, () => timed(Buffer.alloc(2_500_000)))
      const first = await Promise.race(replies)
      expect([first.status, first.headers['retry-after']]).toEqual([503, '5'])
      expect(await refusedFor('full')).toBe(before + 1)
      await Promise.all(replies)
    })
    await expect.poll(async () => (await post(Buffer.alloc(2_500_000))).status).toBe(200)
  })
})

test('the receiver logs an outage once a second, without a body or a secret', async () => {
  let logged = ''
  const write = (line: string) => {
    logged += line
  }
  const receiver = createReceiver({
    appSecrets: [APP_SECRET],
    verifyTokens: [VERIFY_TOKEN],
    save: () => Promise.reject(new Error('the database is down')),
    reportRefusal: () => undefined,
    metrics: createMetrics(),
    log: pino({}, { write }),
  })
  const server = createServer(receiver)
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const body = Buffer.from('{"text":"canary-text"}')
  const begin = performance.now()
  const replies = Array.from({ length: 50 }, () => send(url, { method: 'POST', body, headers: signed(body) }))
  expect((await Promise.all(replies)).map((reply) => reply.status)).toEqual(Array(50).fill(503))
  const seconds = Math.ceil((performance.now() - begin) / 1_000)
  expect(logged.match(/the database is down/g)?.length).toBeLessThanOrEqual(1 + seconds)
  expect(logged).toMatch(/the inbox could not store a delivery/)
  expect(logged).not.toMatch(/canary/)
})
