import { Readable } from 'node:stream'
import { describe, expect, test, vi } from 'vitest'
import { opsUserCommand } from '../../src/cli/ops-user.ts'
import { createLogger } from '../../src/logger.ts'
import { createLogins } from '../../src/logins/logins.ts'
import { createBoardQueues } from '../../src/queue/board-queues.ts'
import { openEngine } from '../../src/queue/connection.ts'
import { atEndOf } from '../support/at-end.ts'
import { createTestDatabase } from '../support/database.ts'
import { send } from '../support/http.ts'
import { inboxStates, store } from '../support/inbox.ts'
import { cookieOf, HASH, logInAs, PASSWORD, postLogin, usersFile } from '../support/logins.ts'
import { LOGIN, loggedIn, startOps } from '../support/ops.ts'
import { createOrg, createRoom, SECRETS_KEY } from '../support/org.ts'
import { runCommand } from '../support/run-command.ts'

const { db, url: databaseUrl } = await createTestDatabase()
const silent = createLogger({ logLevel: 'silent' })
const board = createBoardQueues(openEngine({ redis: undefined, databaseUrl }), silent)
atEndOf('file', () => board.close(1_000))

const PEOPLE = [`ann@example.com operator * ${HASH}`, `ben viewer * ${HASH}`]
const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

/** The ops listener with a users file; `lines`: the log. */
async function start({ people = PEOPLE, withBasicAuth = true, readOnly = false } = {}) {
  const login = withBasicAuth ? LOGIN : undefined
  const file = await usersFile(...people)
  const lines: string[] = []
  const log = createLogger({ logLevel: 'info' }, { write: (line) => void lines.push(line) })
  const logins = createLogins({
    login,
    usersFile: file.path,
    secretsKey: Buffer.from(SECRETS_KEY, 'base64'),
    log,
  })
  const url = await startOps(db, { login, logins, readOnly, log, boardQueues: board.open })
  return { url, file, lines }
}

describe('the login page', () => {
  test('is where a browser is led that asks for a page; everything else is answered with 401, without a dialog', async () => {
    const { url } = await start()
    for (const path of ['/console/stuck?org=a', '/queues/', '/dead-letters']) {
      const { status, headers } = await send(url + path, { headers: html })
      expect([status, headers.location]).toEqual([303, `/login?${new URLSearchParams({ next: path })}`])
      for (const accept of ['application/json, text/plain, */*', 'text/event-stream', '*/*']) {
        const reply = await send(url + path, { headers: { accept } })
        expect([reply.status, reply.headers['www-authenticate']]).toEqual([401, undefined])
      }
    }
    const change = await send(`${url}/console/stuck/replay`, { method: 'POST', headers: html })
    expect([change.status, change.headers.location]).toEqual([303, '/login?next=%2Fconsole'])
    expect((await send(`${url}/live`)).status).toBe(200)
  })

  test('begins a session with the right name and password, and leads to where somebody wanted to go', async () => {
    const { url } = await start()
    const next = '/console/stuck?org=a'
    const page = await send(`${url}/login?next=${encodeURIComponent(next)}`)
    expect([page.status, page.body]).toEqual([200, expect.stringContaining(`name="next" value="${next}"`)])
    const reply = await postLogin(url, { name: 'Ann@Example.com', password: PASSWORD, next })
    expect([reply.status, reply.headers.location]).toEqual([303, next])
    const [cookie = ''] = reply.headers['set-cookie'] ?? []
    expect(cookie).toMatch(
      /^usher_session=[\w.-]+; Max-Age=43200; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/,
    )
    const console = await send(`${url}/console`, { headers: { cookie: `a=b; ${cookieOf(reply)}` } })
    expect([console.status, console.body]).toEqual([200, expect.stringContaining('ann@example.com')])
    const again = await send(`${url}/login`, { headers: { cookie: cookieOf(reply) } })
    expect([again.status, again.headers.location]).toEqual([303, '/console'])
  })

  test('makes the cookie Secure behind a proxy that ends TLS', async () => {
    const { url } = await start()
    const fields = { name: 'ben', password: PASSWORD }
    const reply = await postLogin(url, fields, {
      'x-forwarded-proto': 'https',
      origin: `https://${new URL(url).host}`,
    })
    expect(reply.headers['set-cookie']?.[0]).toMatch(/; Secure/)
  })

  test('leads to no other site', async () => {
    const { url } = await start()
    for (const next of ['//evil.example', 'https://evil.example/console', '/\\evil.example']) {
      const reply = await postLogin(url, { name: 'ben', password: PASSWORD, next })
      expect([reply.status, reply.headers.location]).toEqual([303, '/console'])
      expect((await send(`${url}/login?next=${encodeURIComponent(next)}`)).body).not.toContain('evil')
    }
  })

  test('answers a wrong password and an unknown name alike, and gives no session', async () => {
    const { url } = await start()
    const replies = await Promise.all([
      postLogin(url, { name: 'ben', password: 'wrong-canary' }),
      postLogin(url, { name: 'who', password: 'wrong-canary' }),
      postLogin(url, { name: LOGIN.user, password: 'wrong-canary' }),
    ])
    for (const { status, body, headers } of replies) {
      expect([status, headers['set-cookie']]).toEqual([401, undefined])
      expect(body).toContain('The name or the password is wrong.')
      expect(body).not.toContain('wrong-canary')
    }
    const texts = replies.map(({ body }) => body.replace(/value="[^"]*"/g, ''))
    expect(new Set(texts).size).toBe(1)
    expect((await postLogin(url, {})).status).toBe(422)
    expect((await send(`${url}/console`, { headers: { cookie: 'usher_session=x' } })).status).toBe(401)
  })

  test('takes a form from its own site only', async () => {
    const { url } = await start()
    const fields = { name: 'ben', password: PASSWORD }
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://elsewhere.example' }]) {
      expect((await postLogin(url, fields, headers)).status).toBe(403)
      expect((await send(`${url}/logout`, { method: 'POST', headers })).status).toBe(403)
    }
  })

  test('admits the person of basic auth too, and basic auth still works', async () => {
    const { url } = await start()
    const reply = await postLogin(url, { name: LOGIN.user, password: LOGIN.password })
    expect((await send(`${url}/dead-letters`, { headers: { cookie: cookieOf(reply) } })).status).toBe(200)
    expect((await loggedIn(`${url}/dead-letters`)).status).toBe(200)
    const without = await start({ withBasicAuth: false })
    expect((await loggedIn(`${without.url}/dead-letters`)).status).toBe(401)
    expect((await (await logInAs(without.url, 'ben'))('/dead-letters')).status).toBe(200)
  })

  test('is not there without a users file', async () => {
    const url = await startOps(db)
    expect((await send(`${url}/login`)).status).toBe(404)
    expect((await send(`${url}/logout`, { method: 'POST' })).status).toBe(404)
    expect((await send(`${url}/console`, { headers: html })).status).toBe(401)
  })

  test('loads its own files only, before anybody has logged in', async () => {
    const { url } = await start()
    const { body, headers } = await send(`${url}/login`)
    expect(headers['content-security-policy']).toMatch(/default-src 'none'.*form-action 'self'/)
    expect(headers['cache-control']).toBe('no-store')
    expect(body).not.toMatch(/<script|https?:| style=| on\w+="/)
    const addresses = [...body.matchAll(/(?:href|src)="(\/login\/assets\/[^"]+)"/g)].map(
      ([, address]) => address,
    )
    expect(addresses.length).toBeGreaterThanOrEqual(2)
    for (const address of addresses) expect((await send(url + address)).status).toBe(200)
  })
})

describe('attempts to log in', () => {
  test('are limited for a name, whoever tries, and logged once a minute without names and passwords', async () => {
    const { url, lines } = await start()
    for (let i = 0; i < 10; i += 1)
      expect((await postLogin(url, { name: 'ben', password: 'canary' })).status).toBe(401)
    const refused = await postLogin(url, { name: 'BEN', password: PASSWORD })
    expect([refused.status, refused.headers['retry-after']]).toEqual([
      429,
      expect.stringMatching(/^[1-6]?\d$/),
    ])
    expect(refused.body).toContain('Too many attempts')
    expect((await postLogin(url, { name: 'ann@example.com', password: PASSWORD })).status).toBe(303)
    const warnings = lines.filter((line) => line.includes('logins were refused'))
    expect(warnings).toHaveLength(2)
    expect(warnings.map((line) => JSON.parse(line))).toMatchObject([
      { reason: 'wrong name or password', count: 1, address: expect.stringContaining('127.0.0.1') },
      { reason: 'too many attempts', count: 1 },
    ])
    expect(lines.join()).not.toMatch(/canary|"ben"/)
  })

  test('are limited for an address, whatever the names', async () => {
    const { url } = await start()
    const tries = Array.from({ length: 40 }, (_, i) => postLogin(url, { name: `n${i}`, password: 'x' }))
    const statuses = (await Promise.all(tries)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(30)
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(10)
  })
})

describe('a session', () => {
  test('ends with the logout, in this browser', async () => {
    const { url } = await start()
    const ann = await logInAs(url, 'ann@example.com')
    const reply = await ann('/logout', { method: 'POST' })
    expect([reply.status, reply.headers.location]).toEqual([303, '/login?left=true'])
    expect(reply.headers['set-cookie']?.[0]).toMatch(/^usher_session=; Path=\/; Expires=Thu, 01 Jan 1970/)
    expect((await send(`${url}/login?left=true`)).body).toContain('You are logged out.')
  })

  test('works in every process with the same key, and after 12 hours in none', async () => {
    const [one, two] = [await start(), await start()]
    const cookie = cookieOf(await postLogin(one.url, { name: 'ben', password: PASSWORD }))
    const status = async (url: string) => (await send(`${url}/console`, { headers: { cookie } })).status
    expect([await status(one.url), await status(two.url)]).toEqual([200, 200])
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 12 * 3_600_000 + 10_000 })
    try {
      expect(await status(one.url)).toBe(401)
    } finally {
      vi.useRealTimers()
    }
  })

  test('has at once the role that the users file says, and ends when the person or the password is gone', async () => {
    const { url, file, lines } = await start()
    const ann = await logInAs(url, 'ann@example.com')
    const replay = () => ann('/console/stuck/replay', { method: 'POST' })
    expect((await replay()).status).toBe(303)
    await file.write(`ann@example.com viewer * ${HASH}`)
    expect([(await replay()).status, (await ann('/console')).status]).toEqual([403, 200])
    await file.write(`ann@example.com viewer * ${HASH.slice(0, -2)}AA`)
    expect((await ann('/console')).status).toBe(401)
    await file.write(PEOPLE[0]!)
    expect((await ann('/console')).status).toBe(200)
    await file.write(PEOPLE[1]!)
    expect((await ann('/console')).status).toBe(401)
    await file.write(...PEOPLE, 'carl boss * x')
    expect((await ann('/console')).status).toBe(401)
    expect(lines.filter((line) => line.includes('the users file has mistakes'))).toHaveLength(1)
    expect(lines.join()).toContain('line 3: the role must be viewer or operator')
  })

  test('that is over ends the stream of the feed', async () => {
    const { url, file } = await start()
    const cookie = cookieOf(await postLogin(url, { name: 'ann@example.com', password: PASSWORD }))
    const stream = await fetch(`${url}/console/stream`, { headers: { cookie } })
    expect(stream.status).toBe(200)
    await file.write(PEOPLE[1]!)
    expect(await stream.text()).not.toContain('canary')
  })

  test('names the person in the audit and in the log', async () => {
    const { url, lines } = await start()
    const org = await createOrg(db)
    const { id: chatroomId, customerId } = await createRoom(db, org, { customer: '+13125550199' })
    const ann = await logInAs(url, 'ann@example.com')
    const reply = await ann(`/console/customer/rooms/${org.id}/${chatroomId}/deactivate`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `customer=${customerId}`,
    })
    expect(reply.status).toBe(303)
    const { rows } = await db.$client.query(
      `select actor from events where org_id = $1 and kind = 'chatroom.deactivated'`,
      [org.id],
    )
    expect(rows).toEqual([{ actor: 'ops:ann@example.com' }])
    expect(lines.find((line) => line.includes('a chatroom was deactivated'))).toContain('ann@example.com')
  })
})

describe('a viewer', () => {
  test('sees every page without a button that changes anything, and is refused every change', async () => {
    const { url } = await start()
    const ben = await logInAs(url, 'ben')
    const [id = 0] = await store(db, Buffer.from('x'))
    await db.$client.query(`update inbox set state = 'dead', error = 'e'`)
    for (const path of [
      '',
      '/stuck',
      `/stuck/${id}`,
      '/customer',
      '/team',
      '/lifecycle',
      '/webhooks',
      '/doctor',
    ]) {
      const { status, body } = await ben(`/console${path}`)
      const forms = [...body.matchAll(/<form[^>]*method="post"[^>]*>/g)].map(([form]) => form)
      expect([path, status, forms]).toEqual([path, 200, [expect.stringContaining('action="/logout"')]])
      expect(body).toContain('read-only')
    }
    for (const [method, path] of [
      ['POST', `/console/stuck/${id}/replay`],
      ['POST', `/dead-letters/${id}/replay`],
      ['PUT', '/queues/api/queues/deliveries/pause'],
      ['DELETE', '/console'],
    ] as const) {
      const reply = await ben(path, { method })
      expect([path, reply.status, reply.body]).toEqual([
        path,
        403,
        expect.stringContaining('A viewer may not'),
      ])
    }
    expect(await inboxStates(db, [id])).toEqual(['dead'])
  })

  test('has Bull Board in its read-only mode, and an operator has not', async () => {
    const { url } = await start()
    for (const [name, readOnly] of [
      ['ben', true],
      ['ann@example.com', false],
      ['ben', true],
    ] as const) {
      const person = await logInAs(url, name)
      await expect.poll(async () => (await person('/queues/')).status).toBe(200)
      const { queues } = JSON.parse((await person('/queues/api/queues')).body)
      expect(queues.map((queue: { readOnlyMode: boolean }) => queue.readOnlyMode)).toEqual(
        queues.map(() => readOnly),
      )
      expect(queues.length).toBeGreaterThan(0)
    }
  })

  test('is everybody while OPS_READ_ONLY is set', async () => {
    const { url } = await start({ readOnly: true })
    const ann = await logInAs(url, 'ann@example.com')
    expect((await ann('/console')).body).toContain('read-only')
    const reply = await ann('/console/stuck/replay', { method: 'POST' })
    expect([reply.status, reply.body]).toEqual([403, expect.stringContaining('OPS_READ_ONLY')])
    expect((await ann('/logout', { method: 'POST' })).status).toBe(303)
  })
})

test('a users file that is not there admits nobody, and the log says so when the process starts', async () => {
  const { url, file, lines } = await start({ people: [] })
  await file.write(...PEOPLE)
  await logInAs(url, 'ben')
  const gone = createLogins({
    login: undefined,
    usersFile: `${file.path}-gone`,
    secretsKey: Buffer.from(SECRETS_KEY, 'base64'),
    log: createLogger({ logLevel: 'info' }, { write: (line) => void lines.push(line) }),
  })
  await expect.poll(() => lines.join()).toContain('it cannot be read: ENOENT')
  expect(await gone.logIn('ben', PASSWORD)).toBeUndefined()
})

describe('ops-user', () => {
  test('prints the line of a person, with whose password the person can log in', async () => {
    const run = (args: string[], input: string) => runCommand(opsUserCommand(Readable.from([input])), args)
    const { code, output } = await run(['eve@example.com', '--role', 'viewer'], `${PASSWORD}\n`)
    expect([code, output]).toEqual([0, expect.stringMatching(/^eve@example\.com viewer \* \$scrypt\S+\n$/)])
    const some = await run(['eve', '--role', 'viewer', '--org', 'acme', '--org', 'a b'], PASSWORD)
    expect(some.output).toMatch(/^eve viewer acme,a%20b \$scrypt/)
    const { url } = await start({ people: [output.trim()] })
    expect((await (await logInAs(url, 'eve@example.com'))('/console')).status).toBe(200)
    const without = await run(['eve', '--role', 'viewer', '--no-password'], '')
    expect(without.output).toBe('eve viewer * -\n')
    for (const [args, input, message] of [
      [['eve', '--role', 'viewer'], 'short\n', 'at least 12 characters'],
      [['e v e', '--role', 'viewer'], `${PASSWORD}\n`, 'The name must consist of'],
      [['eve'], `${PASSWORD}\n`, "required option '--role"],
    ] as const) {
      const refused = await run([...args], input)
      expect([refused.code, refused.output]).toEqual([1, expect.stringContaining(message)])
      expect(refused.output).not.toContain('canary')
    }
  })
})
