import { randomUUID } from 'node:crypto'
import express from 'express'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { inboxTraffic } from '../../src/console/now/inbox-traffic.ts'
import { createConsole } from '../../src/console/routes.ts'
import { createLogger } from '../../src/logger.ts'
import type { OpsParts } from '../../workers/ops-app.ts'
import { routesOf } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { send } from '../support/http.ts'
import { deliver, inboxStates, store } from '../support/inbox.ts'
import { basicAuth, LOGIN, loggedIn, opsParts, startOps } from '../support/ops.ts'
import { createOrg, createOrgs, createRoom, provisionOrg } from '../support/org.ts'
import { ago } from '../support/time.ts'
import { message, post } from '../support/webhooks.ts'

const TEXT = 'canary-text'
const HOUR = 3_600_000

const database = await createTestDatabase()
const org = await createOrg(database.db, { inactivity_days: 30, expiry_days: 100 })
const other = await createOrg(database.db)
let logged: string[] = []
let enqueued: number[][] = []
const log = createLogger({ logLevel: 'info' }, { write: (line) => void logged.push(line) })

beforeEach(async () => {
  logged = []
  enqueued = []
  await database.pool.query('truncate inbox')
})

const start = (parts: Partial<OpsParts> = {}) =>
  startOps(database.db, { enqueue: async (ids) => enqueued.push(ids) > 0, log, ...parts })

/** The text of a page, without its markup. */
const read = async (url: string) => {
  const { status, body } = await loggedIn(url)
  expect([url, status]).toEqual([url, 200])
  return body.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')
}

const find = (url: string, q: string, more = '') =>
  read(`${url}/console/customer?q=${encodeURIComponent(q)}${more}`)

/** A customer whose deactivated chatroom was reactivated by a message. */
async function reactivated(customer: string) {
  const deactivatedAt = new Date(Date.now() - HOUR)
  const room = await createRoom(database.db, org, { customer, deactivatedAt })
  const m = message({ from: customer.slice(1), body: TEXT, userId: `US.${customer.slice(1)}` })
  await deliver(database.db, post(org.phones[0]!, m))
  return { ...room, wamid: m.id, crmId: `crm-${room.contactId}` }
}

describe('the console', () => {
  /** Every route that it really has, with something in the place of each parameter. */
  const routes = () =>
    routesOf(express().use('/console', createConsole(opsParts(database.db)))).map(({ method, path }) => [
      method.toUpperCase(),
      `/console${path === '/' ? '' : path}`.replace(/\{\w+\}/g, '1'),
    ])

  test('answers 401 without the right login, on every route', async () => {
    expect(routes().length).toBeGreaterThanOrEqual(9)
    for (const [method = '', path = ''] of routes()) {
      // An address may send ten wrong passwords to a listener.
      const url = await start()
      for (const headers of [{}, { authorization: 'Basic bm86bm8=' }]) {
        expect([path, (await send(url + path, { method, headers })).status]).toEqual([path, 401])
      }
    }
  })

  test('answers 403 on every route if no login is configured', async () => {
    const url = await start({ login: undefined })
    for (const [method = '', path = ''] of routes()) {
      expect([path, (await loggedIn(url + path, { method })).status]).toEqual([path, 403])
    }
  })

  test('accepts no change from a page of another site', async () => {
    const url = await start()
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://elsewhere.example' }]) {
      const reply = await loggedIn(`${url}/console/stuck/replay`, { method: 'POST', headers })
      expect(reply.status).toBe(403)
    }
  })

  test('has no button that changes anything and accepts no change if it is read-only', async () => {
    const url = await start({ readOnly: true })
    const [id = 0] = await store(database.db, Buffer.from('x'))
    await database.pool.query(`update inbox set state = 'dead', error = 'e'`)
    for (const path of [
      '',
      '/stuck',
      '/stuck/dead',
      '/stuck/sends',
      '/stuck/parked',
      '/stuck/held',
      `/stuck/${id}`,
      '/customer',
      '/team',
      '/lifecycle',
      '/webhooks',
      '/doctor',
    ]) {
      const { status, body } = await loggedIn(`${url}/console${path}`)
      expect([path, status, body.includes('method="post"')]).toEqual([path, 200, false])
    }
    const reply = await loggedIn(`${url}/console/stuck/${id}/replay`, { method: 'POST' })
    expect(reply.status).toBe(403)
    expect(await inboxStates(database.db, [id])).toEqual(['dead'])
  })

  test('runs only its own scripts, and no page may frame it', async () => {
    const url = await start()
    const { headers, body } = await loggedIn(`${url}/console`)
    const policy = String(headers['content-security-policy'])
    expect(policy).toMatch(/default-src 'none'.*script-src 'self'.*frame-ancestors 'none'/)
    expect(policy).not.toMatch(/unsafe|https?:/)
    expect(body).not.toMatch(/ style="| on[a-z]+="|<script(?![^>]* src="\/console\/assets\/)/)
    for (const [, address = ''] of body.matchAll(/(?:src|href)="(\/console\/assets\/[^"]+)"/g)) {
      const asset = await loggedIn(url + address)
      expect([asset.status, asset.headers['cache-control']]).toEqual([
        200,
        expect.stringMatching(/immutable/),
      ])
    }
    expect((await loggedIn(`${url}/console/assets/0000/console.css`)).status).toBe(404)
  })
})

describe('the page of a customer', () => {
  test('is found by phone in any spelling, BSUID, `crm_id` and message id', async () => {
    const { wamid, crmId } = await reactivated('+13125550001')
    const url = await start()
    const spellings = ['+1 (312) 555-0001', '13125550001', '001 312 555 0001']
    for (const q of [...spellings, 'US.13125550001', crmId, wamid]) {
      expect(await find(url, q)).toContain(`phone +13125550001`)
    }
    expect(await find(url, '+13125559999')).toContain('No customer matches')
  })

  test('is not found in another org, and several orgs with a match give a choice', async () => {
    await createRoom(database.db, org, { customer: '+13125550002' })
    await createRoom(database.db, other, { customer: '+13125550002' })
    const url = await start()
    const choice = await find(url, '+13125550002')
    expect(choice).toContain('2 customers match')
    expect(await find(url, '+13125550002', `&org=${other.id}`)).toContain(`of ${other.id}, since`)
    await createRoom(database.db, org, { customer: '+13125550003' })
    expect(await find(url, '+13125550003', `&org=${other.id}`)).toContain('No customer matches')
  })

  test('has a timeline that shows what reactivated the chatroom, and where a message would go now', async () => {
    const { wamid, crmId } = await reactivated('+13125550004')
    const page = await find(await start(), '+13125550004')
    expect(page).toContain(`Chatroom reactivated by message ${wamid} the customer wrote, by routing`)
    expect(page).toMatch(/Chatroom created .*import/)
    expect(page).toContain(`active chatroom of ${crmId} the active chatroom`)
  })

  test('shows message texts only on request, and the log names who requested them, without the texts', async () => {
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

  test('shows names with markup as text', async () => {
    const room = await createRoom(database.db, org, { customer: '+13125550006' })
    const name = '<script>alert("x")</script>'
    await database.pool.query('update contacts set first_name = $2, crm_id = $2 where id = $1', [
      room.contactId,
      name,
    ])
    const { body } = await loggedIn(`${await start()}/console/customer?q=${encodeURIComponent(name)}`)
    expect(body).not.toContain('<script>alert')
    expect(body).toContain('&lt;script>alert')
  })
})

describe('the live feed', () => {
  /** Reads a stream until the test ends; `received` is its text so far. */
  async function listen(url: string) {
    const abort = new AbortController()
    onTestFinished(() => abort.abort())
    const response = await fetch(url, {
      headers: { authorization: basicAuth(LOGIN.user, LOGIN.password) },
      signal: abort.signal,
    })
    let received = ''
    const reading = async () => {
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) received += Buffer.from(chunk)
    }
    reading().catch(() => undefined)
    return { received: () => received, type: response.headers.get('content-type') }
  }

  test('sends each message of the org once, after it is routed, without its text', async () => {
    const url = await start()
    const before = message({ from: '13125550030', body: TEXT })
    await deliver(database.db, post(org.phones[0]!, before))
    const mine = await listen(`${url}/console/stream?org=${org.id}`)
    const all = await listen(`${url}/console/stream`)
    expect(mine.type).toBe('text/event-stream')
    await expect.poll(mine.received).toContain(before.id)
    const [ours, theirs] = [message({ from: '13125550031', body: TEXT }), message({ from: '13125550032' })]
    await deliver(database.db, post(org.phones[0]!, ours), post(other.phones[0]!, theirs))
    await expect.poll(mine.received).toContain(ours.id)
    await expect.poll(all.received).toContain(theirs.id)
    await expect.poll(mine.received).toContain('event:figures')
    expect(mine.received()).not.toContain(theirs.id)
    expect(mine.received().split(`data-key=\\"${org.id} ${ours.id}`)).toHaveLength(2)
    expect(all.received() + mine.received()).not.toContain(TEXT)
  })

  test('takes its rates from the database, so that every process shows the same', async () => {
    const before = await inboxTraffic(database.db)
    await deliver(database.db, ...[1, 2, 3].map(() => post(org.phones[0]!, message({}))))
    // Backends report their statistics late: what earlier tests did may still be added.
    const grown = async () => {
      const { stored, routed } = await inboxTraffic(database.db)
      return Math.min(stored - before.stored, routed - before.routed)
    }
    await expect.poll(grown).toBeGreaterThanOrEqual(3)
  })
})

describe('the page of stuck deliveries', () => {
  const insertDead = async (body: Buffer) => {
    const [id = 0] = await store(database.db, body)
    await database.pool.query(`update inbox set state = 'dead', error = 'not JSON' where id = $1`, [id])
    return id
  }

  test('shows a customer whose message has an id that looks like one of our own', async () => {
    const odd = [{ id: 'outbox:zzz' }, { id: `outbox:${randomUUID()}` }].map(({ id }) =>
      message({ from: '13125550077', id }),
    )
    await deliver(database.db, post(org.phones[0]!, ...odd))
    const page = await read(`${await start()}/console/customer?q=13125550077`)
    for (const { id } of odd) expect(page).toContain(id)
  })

  test('lists held messages, parked deliveries and dead letters, with the reason', async () => {
    const held = message({ from: '13125550010', body: TEXT })
    const parked = message({ body: TEXT })
    await deliver(database.db, post(org.phones[0]!, held), post('unknown-number', parked), Buffer.from(TEXT))
    const url = await start()
    const page = await read(`${url}/console/stuck`)
    expect(page).toContain('+1 312 555 0010')
    expect(page).toContain('held until one is created')
    expect(page).toContain('phone:unknown-number 1 ')
    expect(page).toContain('not JSON')
    expect(page).not.toContain(TEXT)
    expect(await read(`${url}/console/stuck?org=${other.id}`)).not.toContain('312 555 0010')
  })

  test('masks the payload of a dead letter, shows it only on request, and the log names who requested it', async () => {
    const id = await insertDead(post(org.phones[0]!, message({ body: TEXT, id: 'wamid.DEAD' })))
    const url = await start()
    const masked = await read(`${url}/console/stuck/${id}`)
    expect(masked).toContain('wamid.DEAD')
    expect(masked).not.toContain(TEXT)
    expect(logged).toEqual([])
    expect(await read(`${url}/console/stuck/${id}?text=show`)).toContain(TEXT)
    expect(JSON.parse(logged.join())).toMatchObject({ user: 'ops', delivery: id })
    expect(logged.join()).not.toContain(TEXT)
  })

  test('replays one dead letter or all, and shows the progress', async () => {
    const ids = [
      await insertDead(Buffer.from('a')),
      await insertDead(Buffer.from('b')),
      await insertDead(Buffer.from('c')),
    ]
    const url = await start()
    const one = await loggedIn(`${url}/console/stuck/${ids[1]}/replay`, { method: 'POST' })
    expect(one.status).toBe(303)
    expect(enqueued).toEqual([[ids[1]]])
    expect(await inboxStates(database.db, ids)).toEqual(['dead', 'new', 'dead'])
    const progress = await read(url + String(one.headers.location))
    expect(progress).toContain('1 replayed: 0 processed , 1 waiting')
    expect((await loggedIn(`${url}/console/stuck/${ids[1]}/replay`, { method: 'POST' })).status).toBe(404)

    const all = await loggedIn(`${url}/console/stuck/replay`, { method: 'POST' })
    expect(all.status).toBe(303)
    await expect.poll(() => enqueued.at(-1)).toEqual([ids[0], ids[2]])
    await database.pool.query(`delete from inbox where id = $1`, [ids[0]])
    await database.pool.query(`update inbox set state = 'dead', error = 'again' where id = $1`, [ids[2]])
    await expect.poll(() => read(url + String(all.headers.location))).toContain('Finished: 2 of 2 replayed')
    expect(await read(url + String(all.headers.location))).toContain('1 dead again')
  })
})

describe('the page of the lifecycle', () => {
  test('counts chatrooms by state and by due date, for one org or all', async () => {
    const mine = await createOrg(database.db, { inactivity_days: 30, expiry_days: 100 })
    const rooms = [
      { activatedAt: ago(1) },
      { activatedAt: ago(25) },
      { activatedAt: ago(29.5) },
      { deactivatedAt: ago(3) },
      { expiredAt: ago(2) },
    ]
    for (const [i, room] of rooms.entries())
      await createRoom(database.db, mine, { customer: `+1312555002${i}`, ...room })
    const url = await start()
    const page = async () => read(`${url}/console/lifecycle?org=${mine.id}`)
    await expect.poll(page).toContain('Active 3 chatrooms Deactivated 1 ')
    expect(await page()).toContain('Expired 1 final')
    expect(await page()).toContain('Due today 1 1 to deactivate')
    expect(await page()).toContain('Due in seven days 2 2 to deactivate')
    expect(await read(`${url}/console/lifecycle`)).toContain(`Org ${mine.id.slice(4)} 3 1 1 1 2`)
  })

  test('shows a number that moved with all its ids, and the present one beside its chatrooms', async () => {
    const [mine, other] = await createOrgs(database.db, 2)
    await createRoom(database.db, mine!)
    for (const [id, replaces] of [
      ['b', mine!.phones[0]],
      ['c', 'b'],
    ]) {
      const phones = [{ id, replaces, display_phone_number: '+1 555 0100' }]
      await provisionOrg(database.db, { id: mine!.id, wabas: [{ id: `waba-${id}`, name: 'New', phones }] })
    }
    const url = await start()
    const page = await read(`${url}/console/lifecycle?org=${mine!.id}`)
    expect(page).toContain(`${mine!.id} +1 555 0100 waba-c c b, ${mine!.phones[0]}`)
    expect(await read(`${url}/console/lifecycle?org=${other!.id}`)).not.toContain('Numbers that moved')
    expect(await read(`${url}/console/customer?org=${mine!.id}&q=15550001111`)).toContain('+1 555 0100 c')
  })

  test('shows a user who left, and how many chatrooms were released', async () => {
    const [mine, other] = await createOrgs(database.db, 2)
    const room = await createRoom(database.db, mine!)
    await database.pool.query(
      `insert into chatroom_members (org_id, chatroom_id, user_id) values ($1, $2, 'ann')`,
      [mine!.id, room.id],
    )
    await provisionOrg(database.db, { id: mine!.id, users: [{ id: 'ann', removed: true }] })
    const url = await start()
    const page = await read(`${url}/console/lifecycle?org=${mine!.id}`)
    expect(page).toMatch(new RegExp(`Users who left .*${mine!.id} ann ann \\S+ \\S+ 1`))
    expect(await read(`${url}/console/lifecycle?org=${other!.id}`)).not.toContain('Users who left')
    expect(await read(`${url}/console/customer?org=${mine!.id}&q=15550001111`)).toContain(
      'Chatroom taken from a user',
    )
  })

  test('shows the last fourteen days as a table', async () => {
    const mine = await createOrg(database.db)
    const event = (kind: string, daysAgo: number) => {
      const at = ago(daysAgo)
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
    const dayOf = (daysAgo: number) => ago(daysAgo).toISOString().slice(0, 10)
    const page = async () => read(`${url}/console/lifecycle?org=${mine.id}`)
    await expect.poll(page).toContain(`${dayOf(0)} 1 0 0 0`)
    expect(await page()).toContain(`${dayOf(3)} 0 1 0 0`)
    expect(await page()).not.toContain(dayOf(14))
  })
})

describe('the page of the doctor', () => {
  test('lists what was found with its remedy, and asks Meta about the chosen org only', async () => {
    const asked: (string | undefined)[] = []
    const url = await start({
      examine: async (orgId) => {
        asked.push(orgId)
        return [{ name: 'Node', status: 'warning', found: 'v20', remedy: 'install Node 24' }]
      },
    })
    expect(await read(`${url}/console/doctor`)).toContain('warning Node v20 install Node 24')
    await read(`${url}/console/doctor?org=${org.id}`)
    expect(asked).toEqual([undefined, org.id])
  })
})

describe('an error of the console', () => {
  test.each([
    ['/console/customer?id=x', 422],
    ['/console/customer?q=%00', 422],
    ['/console/customer?q=a&q=b', 422],
    [`/console/customer?q=${'x'.repeat(501)}`, 422],
    ['/console?org=%00', 422],
    ['/console/stuck/dead?before=-1', 422],
    ['/console/stuck/x', 404],
    ['/console/stuck/999999999', 404],
    ['/console/nowhere', 404],
  ])('is a page: %s answers %i', async (path, status) => {
    const reply = await loggedIn((await start()) + path)
    expect([reply.status, reply.headers['content-type']]).toEqual([status, 'text/html; charset=utf-8'])
    expect(reply.body).toContain('The request was refused')
  })

  test('is a page without the cause while PostgreSQL is away, and the log has the cause', async () => {
    const fails = () => Promise.reject(new Error('down'))
    const db = { ...database.db, $client: { query: fails } } as unknown as OpsParts['db']
    const reply = await loggedIn(`${await start({ db })}/console/stuck`)
    expect([reply.status, reply.body.includes('Try again')]).toEqual([500, true])
    expect(logged.join()).toContain('a page of the console failed')
  })
})
