import type { Queue } from 'bullmq'
import express from 'express'
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { inboxTraffic } from '../../src/console/now/inbox-traffic.ts'
import { createConsole } from '../../src/console/routes.ts'
import { type RunningServer, startServer } from '../../src/http/server.ts'
import { createLogger } from '../../src/logger.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createOpsApp, type OpsParts } from '../../workers/ops-app.ts'
import { routesOf } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { type Request, send } from '../support/http.ts'
import { deliver, inboxStates, store } from '../support/inbox.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { message, post } from '../support/webhooks.ts'

const AUTHORIZATION = `Basic ${Buffer.from('ops:secret-password').toString('base64')}`
const TEXT = 'canary-text'
const HOUR = 3_600_000
const DAY = 24 * HOUR

let database: TestDatabase
let org: TestOrg
let other: TestOrg
let logged: string[] = []
let enqueued: number[][] = []
const running: RunningServer[] = []
const log = createLogger({ logLevel: 'info' }, { write: (line) => void logged.push(line) })
const metrics = createMetrics()
const queues: () => Queue[] = () => []

const parts = (): OpsParts => ({
  probes: [],
  details: async () => ({}),
  registry: metrics.registry,
  refreshGauges: async () => {},
  queues,
  login: { user: 'ops', password: 'secret-password' },
  readOnly: false,
  now: () => new Date(),
  db: database.db,
  enqueue: async (ids) => enqueued.push(ids) > 0,
  log,
})

beforeAll(async () => {
  database = await createTestDatabase()
  org = await createOrg(database.db, { inactivity_days: 30, expiry_days: 100 })
  other = await createOrg(database.db)
  return () => Promise.all(running.map((server) => server.close(0)))
})

beforeEach(async () => {
  logged = []
  enqueued = []
  await database.pool.query('truncate inbox')
})

async function start(changes: Partial<OpsParts> = {}): Promise<string> {
  const handler = createOpsApp({ ...parts(), ...changes })
  const server = await startServer({ host: '127.0.0.1', port: 0, variable: 'OPS_PORT', handler, log })
  running.push(server)
  return server.url
}

const open = (url: string, { headers, ...request }: Request = {}) =>
  send(url, { ...request, headers: { authorization: AUTHORIZATION, ...headers } })

/** What a page says, as a reader sees it. */
const read = async (url: string) => {
  const { status, body } = await open(url)
  expect([url, status]).toEqual([url, 200])
  return body.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')
}

const find = (url: string, q: string, more = '') =>
  read(`${url}/console/customer?q=${encodeURIComponent(q)}${more}`)

/** A customer with an old chatroom that a message woke. */
async function reactivated(customer: string) {
  const deactivatedAt = new Date(Date.now() - HOUR)
  const room = await createRoom(database.db, org, { customer, deactivatedAt })
  const m = message({ from: customer.slice(1), body: TEXT, userId: `US.${customer.slice(1)}` })
  await deliver(database.db, post(org.phones[0]!, m))
  return { ...room, wamid: m.id, crmId: `crm-${room.contactId}` }
}

describe('who may see the console', () => {
  /** Every route that it really has, with something in the place of each parameter. */
  const routes = () =>
    routesOf(express().use('/console', createConsole(parts()))).map(({ method, path }) => [
      method.toUpperCase(),
      `/console${path === '/' ? '' : path}`.replace(/\{\w+\}/g, '1'),
    ])

  test('nobody without a login, on any of its routes', async () => {
    const url = await start()
    expect(routes().length).toBeGreaterThanOrEqual(9)
    for (const [method = '', path = ''] of routes()) {
      for (const headers of [{}, { authorization: 'Basic bm86bm8=' }]) {
        expect([path, (await send(url + path, { method, headers })).status]).toEqual([path, 401])
      }
    }
  })

  test('nobody at all where no login is configured', async () => {
    const url = await start({ login: undefined })
    for (const [method = '', path = ''] of routes()) {
      expect([path, (await open(url + path, { method })).status]).toEqual([path, 403])
    }
  })

  test('no page of another site changes anything', async () => {
    const url = await start()
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://elsewhere.example' }]) {
      const reply = await open(`${url}/console/stuck/replay`, { method: 'POST', headers })
      expect(reply.status).toBe(403)
    }
  })

  test('read-only, it has no button that changes anything, and takes no change', async () => {
    const url = await start({ readOnly: true })
    const [id = 0] = await store(database.db, Buffer.from('x'))
    await database.pool.query(`update inbox set state = 'dead', error = 'e'`)
    for (const path of ['', '/stuck', `/stuck/${id}`, '/customer', '/lifecycle']) {
      const { status, body } = await open(`${url}/console${path}`)
      expect([path, status, body.includes('method="post"')]).toEqual([path, 200, false])
    }
    const reply = await open(`${url}/console/stuck/${id}/replay`, { method: 'POST' })
    expect(reply.status).toBe(403)
    expect(await inboxStates(database.db, [id])).toEqual(['dead'])
  })

  test('pages run no script but their own, and nobody frames them', async () => {
    const url = await start()
    const { headers, body } = await open(`${url}/console`)
    const policy = String(headers['content-security-policy'])
    expect(policy).toMatch(/default-src 'none'.*script-src 'self'.*frame-ancestors 'none'/)
    expect(policy).not.toMatch(/unsafe|https?:/)
    expect(body).not.toMatch(/ style="| on[a-z]+="|<script(?![^>]* src="\/console\/assets\/)/)
    for (const [, address = ''] of body.matchAll(/(?:src|href)="(\/console\/assets\/[^"]+)"/g)) {
      const asset = await open(url + address)
      expect([asset.status, asset.headers['cache-control']]).toEqual([
        200,
        expect.stringMatching(/immutable/),
      ])
    }
    expect((await open(`${url}/console/assets/0000/console.css`)).status).toBe(404)
  })
})

describe('one customer', () => {
  test('is found by phone in any spelling, and by every other name', async () => {
    const { wamid, crmId } = await reactivated('+13125550001')
    const url = await start()
    const spellings = ['+1 (312) 555-0001', '13125550001', '001 312 555 0001']
    for (const q of [...spellings, 'US.13125550001', crmId, wamid]) {
      expect(await find(url, q)).toContain(`phone +13125550001`)
    }
    expect(await find(url, '+13125559999')).toContain('No customer matches')
  })

  test('is not found in another org, and where several fit there is a choice', async () => {
    await createRoom(database.db, org, { customer: '+13125550002' })
    await createRoom(database.db, other, { customer: '+13125550002' })
    const url = await start()
    const choice = await find(url, '+13125550002')
    expect(choice).toContain('2 customers match')
    expect(await find(url, '+13125550002', `&org=${other.id}`)).toContain(`of ${other.id}, since`)
    await createRoom(database.db, org, { customer: '+13125550003' })
    expect(await find(url, '+13125550003', `&org=${other.id}`)).toContain('No customer matches')
  })

  test('has a timeline that tells what woke the chatroom, and what would happen now', async () => {
    const { wamid, crmId } = await reactivated('+13125550004')
    const page = await find(await start(), '+13125550004')
    expect(page).toContain(`Chatroom reactivated by message ${wamid} the customer wrote, by routing`)
    expect(page).toMatch(/Chatroom created .*import/)
    expect(page).toContain(`active chatroom of ${crmId} the active chatroom`)
  })

  test('shows texts only to whoever asks, and the log tells who, without the text', async () => {
    const { customerId } = await reactivated('+13125550005')
    const url = await start()
    expect(await find(url, '+13125550005')).not.toContain(TEXT)
    expect(logged).toEqual([])
    expect(await find(url, '+13125550005', '&text=show')).toContain(TEXT)
    expect(logged.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ user: 'ops', org: org.id, customer: customerId, messages: 1 }),
    ])
    expect(logged.join()).not.toContain(TEXT)
  })

  test('may be called anything: names are shown as they are', async () => {
    const room = await createRoom(database.db, org, { customer: '+13125550006' })
    const name = '<script>alert("x")</script>'
    await database.pool.query('update contacts set first_name = $2, crm_id = $2 where id = $1', [
      room.contactId,
      name,
    ])
    const { body } = await open(`${await start()}/console/customer?q=${encodeURIComponent(name)}`)
    expect(body).not.toContain('<script>alert')
    expect(body).toContain('&lt;script>alert')
  })
})

describe('the live feed', () => {
  /** What a stream has said so far. */
  async function listen(url: string) {
    const abort = new AbortController()
    onTestFinished(() => abort.abort())
    const response = await fetch(url, { headers: { authorization: AUTHORIZATION }, signal: abort.signal })
    let said = ''
    const reading = async () => {
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) said += Buffer.from(chunk)
    }
    reading().catch(() => undefined)
    return { said: () => said, type: response.headers.get('content-type') }
  }

  test('tells each message of the org once, after it is routed, and never its text', async () => {
    const url = await start()
    const before = message({ from: '13125550030', body: TEXT })
    await deliver(database.db, post(org.phones[0]!, before))
    const mine = await listen(`${url}/console/stream?org=${org.id}`)
    const all = await listen(`${url}/console/stream`)
    expect(mine.type).toBe('text/event-stream')
    await expect.poll(mine.said).toContain(before.id)
    const [ours, theirs] = [message({ from: '13125550031', body: TEXT }), message({ from: '13125550032' })]
    await deliver(database.db, post(org.phones[0]!, ours), post(other.phones[0]!, theirs))
    await expect.poll(mine.said, { timeout: 5_000 }).toContain(ours.id)
    await expect.poll(all.said, { timeout: 5_000 }).toContain(theirs.id)
    await expect.poll(mine.said, { timeout: 5_000 }).toContain('event:figures')
    expect(mine.said()).not.toContain(theirs.id)
    expect(mine.said().split(`data-key=\\"${org.id} ${ours.id}`)).toHaveLength(2)
    expect(all.said() + mine.said()).not.toContain(TEXT)
  })

  test('has its rates from the database, so that every process tells the same', async () => {
    const before = await inboxTraffic(database.db)
    await deliver(database.db, ...[1, 2, 3].map(() => post(org.phones[0]!, message({}))))
    // Backends tell the database of their share late: what earlier tests did may still come in.
    const grown = async () => {
      const { stored, routed } = await inboxTraffic(database.db)
      return Math.min(stored - before.stored, routed - before.routed)
    }
    await expect.poll(grown, { timeout: 30_000 }).toBeGreaterThanOrEqual(3)
  })
})

describe('what is stuck', () => {
  const bury = async (body: Buffer) => {
    const [id = 0] = await store(database.db, body)
    await database.pool.query(`update inbox set state = 'dead', error = 'not JSON' where id = $1`, [id])
    return id
  }

  test('is listed with the reason: held, parked and dead', async () => {
    const stranger = message({ from: '13125550010', body: TEXT })
    const early = message({ body: TEXT })
    await deliver(database.db, post(org.phones[0]!, stranger), post('nobodys', early), Buffer.from(TEXT))
    const url = await start()
    const page = await read(`${url}/console/stuck`)
    expect(page).toContain('13125550010')
    expect(page).toContain('held until one is created')
    expect(page).toContain('phone:nobodys 1 ')
    expect(page).toContain('not JSON')
    expect(page).not.toContain(TEXT)
    expect(await read(`${url}/console/stuck?org=${other.id}`)).not.toContain('13125550010')
  })

  test('a dead letter shows its payload masked; its text only to whoever asks, and the log tells', async () => {
    const id = await bury(post(org.phones[0]!, message({ body: TEXT, id: 'wamid.DEAD' })))
    const url = await start()
    const masked = await read(`${url}/console/stuck/${id}`)
    expect(masked).toContain('wamid.DEAD')
    expect(masked).not.toContain(TEXT)
    expect(logged).toEqual([])
    expect(await read(`${url}/console/stuck/${id}?text=show`)).toContain(TEXT)
    expect(JSON.parse(logged.join())).toMatchObject({ user: 'ops', delivery: id })
    expect(logged.join()).not.toContain(TEXT)
  })

  test('one is replayed, or all are, and the page tells how far it is', async () => {
    const ids = [await bury(Buffer.from('a')), await bury(Buffer.from('b')), await bury(Buffer.from('c'))]
    const url = await start()
    const one = await open(`${url}/console/stuck/${ids[1]}/replay`, { method: 'POST' })
    expect(one.status).toBe(303)
    expect(enqueued).toEqual([[ids[1]]])
    expect(await inboxStates(database.db, ids)).toEqual(['dead', 'new', 'dead'])
    const progress = await read(url + String(one.headers.location))
    expect(progress).toContain('1 replayed: 0 processed , 1 waiting')
    expect((await open(`${url}/console/stuck/${ids[1]}/replay`, { method: 'POST' })).status).toBe(404)

    const all = await open(`${url}/console/stuck/replay`, { method: 'POST' })
    expect([all.status, enqueued.at(-1)]).toEqual([303, [ids[0], ids[2]]])
    await database.pool.query(`delete from inbox where id = $1`, [ids[0]])
    await database.pool.query(`update inbox set state = 'dead', error = 'again' where id = $1`, [ids[2]])
    expect(await read(url + String(all.headers.location))).toContain('2 replayed: 1 processed')
    expect(await read(url + String(all.headers.location))).toContain('1 dead again')
  })
})

describe('the lifecycle', () => {
  test('counts chatrooms by state, and what falls due, for one org or all', async () => {
    const mine = await createOrg(database.db, { inactivity_days: 30, expiry_days: 100 })
    const room = (customer: string, days: { asleep?: number; expired?: number; wrote?: number }) => {
      const ago = (n: number | undefined) => (n === undefined ? undefined : new Date(Date.now() - n * DAY))
      const at = {
        deactivatedAt: ago(days.asleep),
        expiredAt: ago(days.expired),
        activatedAt: ago(days.wrote),
      }
      const given = Object.fromEntries(Object.entries(at).filter(([, date]) => date !== undefined))
      return createRoom(database.db, mine, { customer, ...given })
    }
    await room('+13125550020', { wrote: 1 })
    await room('+13125550021', { wrote: 25 })
    await room('+13125550022', { wrote: 29.5 })
    await room('+13125550023', { asleep: 3 })
    await room('+13125550024', { expired: 2 })
    const url = await start()
    const page = async () => read(`${url}/console/lifecycle?org=${mine.id}`)
    await expect.poll(page).toContain('Active 3 chatrooms Deactivated 1 ')
    expect(await page()).toContain('Expired 1 final')
    expect(await page()).toContain('Due today 1 1 to deactivate')
    expect(await page()).toContain('Due in seven days 2 2 to deactivate')
    expect(await read(`${url}/console/lifecycle`)).toContain(`Org ${mine.id.slice(4)} 3 1 1 1 2`)
  })

  test('charts the last fourteen days, as bars and as a table', async () => {
    const mine = await createOrg(database.db)
    const event = (kind: string, daysAgo: number) => {
      const at = new Date(Date.now() - daysAgo * DAY)
      const id = `${at
        .getTime()
        .toString(16)
        .padStart(12, '0')
        .replace(/^(.{8})/, '$1-')}-7000-8000-000000000000`
      return database.pool.query(
        'insert into events (org_id, id, kind, actor, created_at) values ($1, $2, $3, $4, $5)',
        [mine.id, id, kind, 'test', at],
      )
    }
    await event('chatroom.created', 0)
    await event('chatroom.reactivated', 3)
    await event('chatroom.expired', 20)
    const url = await start()
    const dayOf = (daysAgo: number) => new Date(Date.now() - daysAgo * DAY).toISOString().slice(0, 10)
    const page = async () => read(`${url}/console/lifecycle?org=${mine.id}`)
    await expect.poll(page).toContain(`${dayOf(0)} 1 0 0 0`)
    expect(await page()).toContain(`${dayOf(3)} 0 1 0 0`)
    expect(await page()).not.toContain(dayOf(14))
  })
})

describe('an address that makes no sense', () => {
  test.each([
    ['/console/customer?id=x', 422],
    ['/console/customer?q=%00', 422],
    ['/console/customer?q=a&q=b', 422],
    [`/console/customer?q=${'x'.repeat(501)}`, 422],
    ['/console?org=%00', 422],
    ['/console/stuck?before=-1', 422],
    ['/console/stuck/x', 404],
    ['/console/stuck/999999999', 404],
    ['/console/nowhere', 404],
  ])('%s is told so, as a page: %i', async (path, status) => {
    const reply = await open((await start()) + path)
    expect([reply.status, reply.headers['content-type']]).toEqual([status, 'text/html; charset=utf-8'])
    expect(reply.body).toContain('The request was refused')
  })

  test('while PostgreSQL is away, a page says so and the log says why', async () => {
    const fails = () => Promise.reject(new Error('down'))
    const db = { ...database.db, $client: { query: fails } } as unknown as OpsParts['db']
    const reply = await open(`${await start({ db })}/console/stuck`)
    expect([reply.status, reply.body.includes('Try again')]).toEqual([500, true])
    expect(logged.join()).toContain('a page of the console failed')
  })
})
