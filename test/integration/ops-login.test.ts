import { createBullBoard } from '@bull-board/api'
import { ExpressAdapter } from '@bull-board/express'
import { afterAll, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { createBoardQueues } from '../../src/queue/board-queues.ts'
import { openEngine } from '../../src/queue/connection.ts'
import { QUEUE_NAMES } from '../../src/queue/names.ts'
import { routesOf } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { publishFigure } from '../support/figures.ts'
import { send } from '../support/http.ts'
import { insertDelivery } from '../support/inbox.ts'
import { basicAuth, LOGIN, loggedIn, opsWithQueue } from '../support/ops.ts'

const database = await createTestDatabase()
const { db, url: databaseUrl } = database

const log = createLogger({ logLevel: 'silent' })

const board = createBoardQueues(openEngine({ redis: undefined, databaseUrl }), log)
afterAll(() => board.close(1_000))

const { start, enqueued } = opsWithQueue(database)

describe('the login of the ops listener', () => {
  const addresses: [string, string][] = [
    ['GET', '/queues'],
    ['GET', '/queues/'],
    ['GET', '/QUEUES/'],
    ['GET', '/queues/static/images/logo.svg'],
    ['GET', '/queues/api/queues'],
    ['PUT', '/queues/api/queues/deliveries/pause'],
    ['GET', '/dead-letters'],
    ['GET', '/dead-letters/1'],
    ['POST', '/dead-letters/1/replay'],
    ['POST', '/dead-letters/replay'],
  ]

  test.each(addresses)(
    'is required: %s %s answers 403 to every caller if none is configured',
    async (method, path) => {
      const url = await start({ login: undefined, boardQueues: board.open })
      const headers = { authorization: basicAuth('', '') }
      expect((await send(url + path, { method })).status).toBe(403)
      expect((await send(url + path, { method, headers })).status).toBe(403)
      expect((await loggedIn(url + path, { method })).status).toBe(403)
    },
  )

  test('protects every route and method of Bull Board: 401 without a login, 403 if none is configured', async () => {
    const serverAdapter = new ExpressAdapter()
    createBullBoard({ queues: [], serverAdapter })
    const paths = new Set(routesOf(serverAdapter.getRouter()).map(({ path }) => path))
    const [closed, open] = [await start({ login: undefined }), await start({ boardQueues: board.open })]
    const found: string[] = []
    for (const path of paths) {
      for (const method of ['GET', 'PUT', 'POST', 'PATCH', 'DELETE']) {
        const address = `/queues${path.replace(/\{\w+\}/g, 'deliveries')}`
        const answers = [await send(closed + address, { method }), await send(open + address, { method })]
        found.push(`${method} ${address}: ${answers.map(({ status }) => status)}`)
      }
    }
    expect(paths.size).toBeGreaterThan(15)
    const wrong = found.filter((answers) => !answers.endsWith(': 403,401'))
    expect(wrong).toEqual([])
    publishFigure(27, { of: 'calls of every dashboard route', n: 2 * found.length, wrong })
  })

  test.each(addresses)('is required: %s %s answers 401 if it is missing or wrong', async (method, path) => {
    const url = await start({ boardQueues: board.open })
    const wrong = [
      undefined,
      'Basic',
      'Basic !',
      `Bearer ${LOGIN.password}`,
      basicAuth('', ''),
      basicAuth(LOGIN.user, ''),
      basicAuth('', LOGIN.password),
      basicAuth(LOGIN.user, `${LOGIN.password}x`),
      basicAuth('root', LOGIN.password),
      basicAuth(LOGIN.password, LOGIN.user),
    ]
    for (const authorization of wrong) {
      const reply = await send(url + path, { method, headers: authorization ? { authorization } : {} })
      expect([reply.status, reply.headers['www-authenticate']]).toEqual([
        401,
        expect.stringMatching(/^Basic /),
      ])
      expect(reply.body).not.toMatch(/canary/)
    }
  })

  test('closes an address after ten wrong passwords in a minute, also to the right one, and logs it', async () => {
    const lines: string[] = []
    const url = await start({
      log: createLogger({ logLevel: 'info' }, { write: (line) => void lines.push(line) }),
    })
    const headers = { authorization: basicAuth(LOGIN.user, 'guessed') }
    const answers: number[] = []
    for (let i = 0; i < 12; i += 1) answers.push((await send(`${url}/console`, { headers })).status)
    expect(answers).toEqual([...Array(10).fill(401), 429, 429])
    const right = await loggedIn(`${url}/console`)
    expect([right.status, right.headers['retry-after']]).toEqual([429, expect.stringMatching(/^[1-6]?\d$/)])
    expect((await send(`${url}/live`)).status).toBe(200)
    expect(lines.join()).toContain('wrong password')
    expect(lines.join()).not.toMatch(/guessed|canary/)
  })

  test('takes a request without a password for no guess', async () => {
    const url = await start()
    for (let i = 0; i < 15; i += 1) expect((await send(`${url}/console`)).status).toBe(401)
    expect((await loggedIn(`${url}/dead-letters`)).status).toBe(200)
  })

  test.each([
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://elsewhere.example' },
    { origin: 'null' },
  ])(
    'does not let a page of another site change anything in a browser that is logged in: %o',
    async (headers) => {
      const id = await insertDelivery(db, 'dead')
      const url = await start()
      const reply = await loggedIn(`${url}/dead-letters/${id}/replay`, { method: 'POST', headers })
      expect(reply.status).toBe(403)
      expect(enqueued()).toEqual([])
      expect((await loggedIn(`${url}/dead-letters`, { headers })).status).toBe(200)
    },
  )
})

describe('OPS_READ_ONLY', () => {
  test('lets a caller with the login read everything and change nothing', async () => {
    const id = await insertDelivery(db, 'dead')
    const url = await start({ boardQueues: board.open, readOnly: true })
    await expect.poll(async () => (await loggedIn(`${url}/queues/`)).status).toBe(200)
    const { queues } = JSON.parse((await loggedIn(`${url}/queues/api/queues`)).body)
    expect(queues.map((queue: { readOnlyMode: boolean }) => queue.readOnlyMode)).toEqual(
      QUEUE_NAMES.map(() => true),
    )
    for (const [method, path] of [
      ['PUT', '/queues/api/queues/deliveries/pause'],
      ['PUT', '/queues/api/queues/deliveries/retry/failed'],
      ['POST', `/dead-letters/${id}/replay`],
    ] as const) {
      const reply = await loggedIn(url + path, { method })
      expect([reply.status, reply.body]).toEqual([403, expect.stringContaining('OPS_READ_ONLY')])
    }
    expect((await loggedIn(`${url}/dead-letters/${id}`)).status).toBe(200)
    expect(enqueued()).toEqual([])
  })
})

test('/ leads to the console', async () => {
  const { status, headers } = await loggedIn(`${await start()}/`)
  expect([status, headers.location]).toEqual([302, '/console'])
})

describe('/queues', () => {
  test('answers 503 until the queues are connected, and then shows them', async () => {
    const url = await start({ boardQueues: board.open })
    await expect.poll(async () => (await loggedIn(`${url}/queues/`)).status).toBe(200)
    const reply = await loggedIn(`${url}/queues/api/queues`)
    const { queues } = JSON.parse(reply.body)
    expect(queues.map((queue: { name: string }) => queue.name)).toContain('deliveries')
    expect((await loggedIn(`${await start()}/queues/`)).status).toBe(503)
  })

  test.each([true, false])(
    'shows details of Redis only where the queues are on Redis: %s',
    async (hasRedis) => {
      const url = await start({ boardQueues: board.open, hasRedis })
      await expect.poll(async () => (await loggedIn(`${url}/queues/`)).status).toBe(200)
      const { body } = await loggedIn(`${url}/queues/`)
      expect(body).toContain(`"hideRedisDetails":${!hasRedis}`)
      expect(body).toContain('"url":"/console"')
    },
  )

  test('is a page whose scripts all obey its content security policy', async () => {
    const url = await start({ boardQueues: board.open })
    await expect.poll(async () => (await loggedIn(`${url}/queues/`)).status).toBe(200)
    const { headers, body } = await loggedIn(`${url}/queues/`)
    const policy = String(headers['content-security-policy'])
    expect(policy).toMatch(/default-src 'self'/)
    expect(policy).toMatch(/frame-ancestors 'none'/)
    expect(policy).not.toMatch(/script-src|unsafe-eval|https?:/)
    const scripts = [...body.matchAll(/<script([^>]*)>/g)].map((match) => match[1])
    expect(scripts.length).toBeGreaterThan(1)
    for (const attributes of scripts) expect(attributes).toMatch(/ src="static\/|type="application\/json"/)
    expect(body).not.toMatch(/ on[a-z]+="|javascript:/)
    const source = /src="(static\/js\/main[^"]*)"/.exec(body)?.[1]
    const script = await loggedIn(`${url}/queues/${source}`)
    expect([script.status, script.headers['content-type']]).toEqual([
      200,
      expect.stringMatching(/javascript/),
    ])
    expect(script.headers['x-powered-by']).toBeUndefined()
  })
})
