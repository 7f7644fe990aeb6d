import { createBullBoard } from '@bull-board/api'
import { ExpressAdapter } from '@bull-board/express'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type RunningServer, startServer } from '../../src/http/server.ts'
import { inboxFigures } from '../../src/inbox/figures.ts'
import { createLogger } from '../../src/logger.ts'
import { createMetrics } from '../../src/metrics.ts'
import { openEngine } from '../../src/queue/connection.ts'
import { createProducer, type Producer } from '../../src/queue/producer.ts'
import { createOpsApp, type OpsParts } from '../../workers/ops-app.ts'
import { routesOf } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { measured } from '../support/figures.ts'
import { type Request, send } from '../support/http.ts'

const LOGIN = { user: 'ops', password: 'canary-ops-password' }
const never = () => new Promise<never>(() => {})

let database: TestDatabase
let producer: Producer
let enqueued: number[][] = []
const running: RunningServer[] = []
const log = pino({ level: 'silent' })
const metrics = createMetrics()

beforeAll(async () => {
  database = await createTestDatabase()
  producer = createProducer({ engine: openEngine({ redisUrls: [], databaseUrl: database.url }), log })
})

afterAll(async () => {
  await Promise.all(running.map((server) => server.close(0)))
  await producer?.close(1_000)
})

beforeEach(async () => {
  enqueued = []
  await database.pool.query('truncate inbox')
})

async function start(parts: Partial<OpsParts> = {}): Promise<string> {
  const handler = createOpsApp({
    probes: [],
    details: async () => ({ stopped_numbers: 0 }),
    registry: metrics.registry,
    refreshGauges: async () => {},
    queues: () => [],
    login: LOGIN,
    readOnly: false,
    now: () => new Date(),
    db: database.db,
    enqueue: async (ids) => enqueued.push(ids) > 0,
    log,
    ...parts,
  })
  const server = await startServer({ host: '127.0.0.1', port: 0, variable: 'OPS_PORT', handler, log })
  running.push(server)
  return server.url
}

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
const loggedIn = (url: string, { headers, ...request }: Request = {}) =>
  send(url, { ...request, headers: { authorization: basic(LOGIN.user, LOGIN.password), ...headers } })

/** A row of the inbox; returns its id. */
async function insert(state: string, { age = 0, error = 'not JSON', body = '{}' } = {}): Promise<number> {
  const { rows } = await database.pool.query(
    `insert into inbox (body, state, error, parked_for, received_at, due_at)
     values ($1, $2, $3, $4, now() - make_interval(secs => $5), now() - make_interval(secs => $5)) returning id`,
    [Buffer.from(body), state, state === 'dead' ? error : null, state === 'parked' ? 'phone 1' : null, age],
  )
  return Number(rows[0].id)
}

describe('/live and /ready', () => {
  test('/live answers whatever is down', async () => {
    const url = await start({ probes: [{ name: 'database', check: never, vital: true }] })
    expect((await send(`${url}/live`)).status).toBe(200)
  })

  test('/ready answers 200 when every probe is there', async () => {
    const check = () => database.pool.query('select 1')
    const url = await start({ probes: [{ name: 'database', check, vital: true }] })
    const reply = await send(`${url}/ready`)
    expect([reply.status, JSON.parse(reply.body)]).toEqual([
      200,
      { status: 'ready', checks: { database: 'ok' }, details: { stopped_numbers: 0 } },
    ])
  })

  test('/ready answers 503 and names what failed, never why', async () => {
    const fails = () => Promise.reject(new Error('postgres://user:canary@host refused'))
    const throws = () => {
      throw new Error('canary')
    }
    const url = await start({
      probes: [
        { name: 'database', check: fails, vital: true },
        { name: 'queue', check: async () => {}, vital: true },
        { name: 'other', check: throws, vital: true },
      ],
    })
    const reply = await send(`${url}/ready`)
    expect(reply.status).toBe(503)
    const checks = { database: 'failed', queue: 'ok', other: 'failed' }
    expect(JSON.parse(reply.body)).toEqual({ status: 'not ready', checks, details: { stopped_numbers: 0 } })
  })

  test('/ready stays 200 and says degraded when only what is not vital has failed', async () => {
    const fails = () => Promise.reject(new Error('canary'))
    const url = await start({
      probes: [
        { name: 'database', check: async () => {}, vital: true },
        { name: 'queue', check: fails, vital: false },
      ],
    })
    const reply = await send(`${url}/ready`)
    expect(reply.status).toBe(200)
    const checks = { database: 'ok', queue: 'failed' }
    expect(JSON.parse(reply.body)).toMatchObject({ status: 'degraded', checks })
  })

  test('/ready waits a second for probes that hang, all at once', async () => {
    const probes = ['a', 'b', 'c'].map((name) => ({ name, check: never, vital: true }))
    const url = await start({ probes })
    const begin = performance.now()
    expect((await send(`${url}/ready`)).status).toBe(503)
    expect(performance.now() - begin).toBeGreaterThan(900)
    expect(performance.now() - begin).toBeLessThan(1_500)
  })
})

describe('/metrics', () => {
  test('speaks Prometheus, with gauges as of this scrape', async () => {
    await insert('new', { age: 90 })
    await insert('parked')
    await insert('dead')
    const refreshGauges = async () => {
      const figures = await inboxFigures(database.db)
      metrics.oldestUnroutedSeconds.set(figures.oldestUnroutedSeconds)
      metrics.parkedNow.set(figures.parked)
      metrics.deadNow.set(figures.dead)
    }
    const reply = await send(`${await start({ refreshGauges })}/metrics`)
    expect(reply.status).toBe(200)
    expect(reply.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(reply.body).toMatch(/^usher_inbox_oldest_unrouted_seconds 9\d/m)
    expect(reply.body).toMatch(/^usher_inbox_parked 1$/m)
    expect(reply.body).toMatch(/^usher_inbox_dead 1$/m)
    expect(reply.body).toMatch(/^usher_webhook_refused_total\{reason="signature"\} 0$/m)
    expect(reply.body).toMatch(/^process_cpu_seconds_total /m)
  })

  test.each([
    ['fail', () => Promise.reject(new Error('down'))],
    ['hang', never],
  ])('tells the counters even when the gauges %s', async (_how, refreshGauges) => {
    const reply = await send(`${await start({ refreshGauges })}/metrics`)
    expect(reply.status).toBe(200)
    expect(reply.body).toMatch(/^usher_deliveries_acknowledged_total /m)
  })
})

describe('the figures of the inbox', () => {
  test('are zero when it is empty', async () => {
    expect(await inboxFigures(database.db)).toEqual({ oldestUnroutedSeconds: 0, parked: 0, dead: 0 })
  })

  test('count what is parked and dead; only what is still to be routed has an age', async () => {
    for (const state of ['parked', 'parked', 'dead']) await insert(state, { age: 1_000 })
    await insert('new', { age: 10 })
    await insert('new', { age: 20 })
    const figures = await inboxFigures(database.db)
    expect(figures).toMatchObject({ parked: 2, dead: 1 })
    expect(figures.oldestUnroutedSeconds).toBeGreaterThanOrEqual(20)
    expect(figures.oldestUnroutedSeconds).toBeLessThan(30)
  })

  test('stay cheap however large the backlog: counts stop at 10,000', async () => {
    await database.pool.query(
      `insert into inbox (body, state, error, due_at)
       select '', state, 'e', now() from generate_series(1, 20000), unnest(array['dead', 'new']) as state`,
    )
    expect((await inboxFigures(database.db)).dead).toBe(10_000)
  })
})

describe('what needs a login', () => {
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

  test.each(addresses)('%s %s answers 403 to everyone when no login is set', async (method, path) => {
    const url = await start({ login: undefined, queues: producer.queues })
    const headers = { authorization: basic('', '') }
    expect((await send(url + path, { method })).status).toBe(403)
    expect((await send(url + path, { method, headers })).status).toBe(403)
    expect((await loggedIn(url + path, { method })).status).toBe(403)
  })

  test('every route of Bull Board, with any verb, answers 401 without a login and 403 when none is set', async () => {
    const serverAdapter = new ExpressAdapter()
    createBullBoard({ queues: [], serverAdapter })
    const paths = new Set(routesOf(serverAdapter.getRouter()).map(({ path }) => path))
    const [closed, open] = [await start({ login: undefined }), await start({ queues: producer.queues })]
    let asked = 0
    for (const path of paths) {
      for (const method of ['GET', 'PUT', 'POST', 'PATCH', 'DELETE']) {
        const address = `/queues${path.replace(/\{\w+\}/g, 'deliveries')}`
        const answers = [await send(closed + address, { method }), await send(open + address, { method })]
        expect([address, ...answers.map((a) => a.status)]).toEqual([address, 403, 401])
        asked += 2
      }
    }
    expect(paths.size).toBeGreaterThan(15)
    measured(27, { of: 'calls of every dashboard route', n: asked, wrong: 0 })
  })

  test.each(addresses)('%s %s answers 401 to a missing or wrong login', async (method, path) => {
    const url = await start({ queues: producer.queues })
    const wrong = [
      undefined,
      'Basic',
      'Basic !',
      `Bearer ${LOGIN.password}`,
      basic('', ''),
      basic(LOGIN.user, ''),
      basic('', LOGIN.password),
      basic(LOGIN.user, `${LOGIN.password}x`),
      basic('root', LOGIN.password),
      basic(LOGIN.password, LOGIN.user),
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

  test.each([
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://elsewhere.example' },
    { origin: 'null' },
  ])('changes nothing for a page of another site in a logged in browser: %o', async (headers) => {
    const id = await insert('dead')
    const url = await start()
    const reply = await loggedIn(`${url}/dead-letters/${id}/replay`, { method: 'POST', headers })
    expect(reply.status).toBe(403)
    expect(enqueued).toEqual([])
    expect((await loggedIn(`${url}/dead-letters`, { headers })).status).toBe(200)
  })
})

describe('OPS_READ_ONLY', () => {
  test('lets the login look, and change nothing', async () => {
    const id = await insert('dead')
    const url = await start({ queues: producer.queues, readOnly: true })
    await expect.poll(async () => (await loggedIn(`${url}/queues/`)).status, { timeout: 10_000 }).toBe(200)
    const { queues } = JSON.parse((await loggedIn(`${url}/queues/api/queues`)).body)
    expect(queues.map((queue: { readOnlyMode: boolean }) => queue.readOnlyMode)).toEqual([true, true, true])
    for (const [method, path] of [
      ['PUT', '/queues/api/queues/deliveries/pause'],
      ['PUT', '/queues/api/queues/deliveries/retry/failed'],
      ['POST', `/dead-letters/${id}/replay`],
    ] as const) {
      const reply = await loggedIn(url + path, { method })
      expect([reply.status, reply.body]).toEqual([403, expect.stringContaining('OPS_READ_ONLY')])
    }
    expect((await loggedIn(`${url}/dead-letters/${id}`)).status).toBe(200)
    expect(enqueued).toEqual([])
  })
})

describe('/queues', () => {
  test('answers 503 until there are queues, then shows them', async () => {
    const url = await start({ queues: producer.queues })
    await expect.poll(async () => (await loggedIn(`${url}/queues/`)).status, { timeout: 10_000 }).toBe(200)
    const reply = await loggedIn(`${url}/queues/api/queues`)
    const { queues } = JSON.parse(reply.body)
    expect(queues.map((queue: { name: string }) => queue.name)).toContain('deliveries')
    expect((await loggedIn(`${await start()}/queues/`)).status).toBe(503)
  })

  test('is a page whose scripts all obey its strict content security policy', async () => {
    const url = await start({ queues: producer.queues })
    await expect.poll(async () => (await loggedIn(`${url}/queues/`)).status, { timeout: 10_000 }).toBe(200)
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

describe('/dead-letters', () => {
  const get = async (url: string) => JSON.parse((await loggedIn(url)).body)

  test('lists them newest first, in pages, without their bodies', async () => {
    const ids: number[] = []
    for (const error of ['a', 'b', 'c', 'd', 'e'])
      ids.unshift(await insert('dead', { error, body: 'canary' }))
    await insert('new')
    await insert('parked')
    const url = await start()
    const first = await get(`${url}/dead-letters?limit=3`)
    expect(first.dead_letters.map((letter: { id: number }) => letter.id)).toEqual(ids.slice(0, 3))
    expect(first.dead_letters[0]).toEqual({
      id: ids[0],
      received_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      error: 'e',
      bytes: 6,
      requeues: 0,
    })
    const second = await get(`${url}/dead-letters?limit=3&before=${first.next_before}`)
    expect(second.dead_letters.map((letter: { id: number }) => letter.id)).toEqual(ids.slice(3))
    expect(second.next_before).toBeNull()
    expect((await get(`${url}/dead-letters`)).dead_letters.length).toBe(5)
  })

  test('shows one with its exact bytes', async () => {
    const body = 'not JSON \u0000 é'
    const id = await insert('dead', { body })
    const letter = await get(`${await start()}/dead-letters/${id}`)
    expect(letter).toMatchObject({ id, error: 'not JSON', bytes: Buffer.byteLength(body) })
    expect(Buffer.from(letter.body, 'base64').toString()).toBe(body)
  })

  test('replays one: it is new again, due now, with a clean slate, and the queue is told', async () => {
    const id = await insert('dead')
    await database.pool.query(
      `update inbox set requeues = 7, attempts = 3, due_at = now() + interval '1 day'`,
    )
    const url = await start()
    const reply = await loggedIn(`${url}/dead-letters/${id}/replay`, { method: 'POST' })
    expect([reply.status, JSON.parse(reply.body)]).toEqual([200, { id, state: 'new' }])
    expect(enqueued).toEqual([[id]])
    const { rows } = await database.pool.query(
      'select state, error, requeues, attempts, due_at <= now() as due from inbox',
    )
    expect(rows).toEqual([{ state: 'new', error: null, requeues: 0, attempts: 0, due: true }])
    expect((await loggedIn(`${url}/dead-letters/${id}/replay`, { method: 'POST' })).status).toBe(404)
    expect(enqueued.length).toBe(1)
  })

  const replayAll = async (url: string, query = '') => {
    const reply = await loggedIn(`${url}/dead-letters/replay${query}`, { method: 'POST' })
    return { status: reply.status, ...JSON.parse(reply.body) }
  }
  const insertMany = (count: number) =>
    database.pool.query(
      `insert into inbox (body, state, error, requeues, due_at)
       select '', 'dead', 'error ' || i % 2, 7, now() + interval '1 day' from generate_series(1, $1) i`,
      [count],
    )
  const newOnes = async () => {
    const { rows } = await database.pool.query(
      `select id from inbox where state = 'new' and error is null and requeues = 0 and due_at <= now() order by id`,
    )
    return rows.map(({ id }) => Number(id))
  }

  test('replays all, tells the queue in jobs of 100, and finds none the second time', async () => {
    await insertMany(250)
    await insert('parked')
    const url = await start()
    expect(await replayAll(url)).toEqual({ status: 200, replayed: 250, next_after: null })
    expect(enqueued.map((ids) => ids.length)).toEqual([100, 100, 50])
    expect(enqueued.flat()).toEqual(await newOnes())
    expect(await replayAll(url)).toEqual({ status: 200, replayed: 0, next_after: null })
    expect(enqueued).toHaveLength(3)
  })

  test('replays only those of a reason, and so many, and says where to go on', async () => {
    await insertMany(250)
    const url = await start()
    const first = await replayAll(url, '?reason=or%201&limit=120')
    expect(first).toMatchObject({ replayed: 120, next_after: enqueued.flat().at(-1) })
    const second = await replayAll(url, `?reason=or%201&after=${first.next_after}`)
    expect(second).toMatchObject({ replayed: 5, next_after: null })
    expect((await newOnes()).length).toBe(125)
    expect((await get(`${url}/dead-letters`)).dead_letters[0].error).toBe('error 0')
  })

  test('replays once what dies again meanwhile, and stops telling a queue that is away', async () => {
    await insertMany(250)
    let told = 0
    const enqueue = async () => {
      told += 1
      await database.pool.query(`update inbox set state = 'dead', error = 'again' where state = 'new'`)
      return false
    }
    const url = await start({ enqueue })
    expect(await replayAll(url)).toMatchObject({ replayed: 250, next_after: null })
    expect(told).toBe(1)
  })

  test('says in the log who replayed, and never what', async () => {
    const lines: Record<string, unknown>[] = []
    const logged = createLogger({ logLevel: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) })
    const url = await start({ log: logged })
    const id = await insert('dead', { error: 'canary', body: 'canary' })
    await loggedIn(`${url}/dead-letters/${id}/replay`, { method: 'POST' })
    await insert('dead', { error: 'canary', body: 'canary' })
    await replayAll(url, '?reason=canary')
    expect(lines).toMatchObject([
      { user: LOGIN.user, delivery: id },
      { user: LOGIN.user, replayed: 1 },
    ])
    expect(JSON.stringify(lines)).not.toContain('canary')
  })

  test.each(['new', 'parked'])('knows none that is %s', async (state) => {
    const id = await insert(state)
    const url = await start()
    expect((await loggedIn(`${url}/dead-letters/${id}`)).status).toBe(404)
    expect((await loggedIn(`${url}/dead-letters/${id}/replay`, { method: 'POST' })).status).toBe(404)
    const { rows } = await database.pool.query('select state from inbox')
    expect(rows).toEqual([{ state }])
  })

  test.each([
    ['GET', '/dead-letters/x', 422],
    ['GET', '/dead-letters/0', 422],
    ['GET', '/dead-letters/-1', 422],
    ['GET', '/dead-letters/1.5', 422],
    ['GET', '/dead-letters/99999999999999999999', 422],
    ['POST', '/dead-letters/x/replay', 422],
    ['POST', '/dead-letters/replay?limit=0', 422],
    ['POST', '/dead-letters/replay?limit=10001', 422],
    ['POST', '/dead-letters/replay?after=x', 422],
    ['POST', '/dead-letters/replay?reason=', 422],
    ['POST', '/dead-letters/replay?reason=a&reason=b', 422],
    ['GET', '/dead-letters?limit=0', 422],
    ['GET', '/dead-letters?limit=201', 422],
    ['GET', '/dead-letters?limit=', 422],
    ['GET', '/dead-letters?before=x', 422],
    ['GET', '/dead-letters?before=1&before=2', 422],
    ['GET', '/dead-letters/999999999', 404],
    ['POST', '/dead-letters/999999999/replay', 404],
    ['PUT', '/dead-letters/1', 404],
    ['GET', '/nowhere', 404],
    ['GET', '/', 404],
  ])('%s %s: %i in the common error shape', async (method, path, status) => {
    const reply = await loggedIn((await start()) + path, { method })
    expect(reply.status).toBe(status)
    expect(JSON.parse(reply.body)).toEqual({
      error_code: status * 10_000 + 1,
      error_message: expect.stringMatching(/^[A-Z_]+$/),
      error_description: expect.any(String),
      payload: {},
    })
  })
})
