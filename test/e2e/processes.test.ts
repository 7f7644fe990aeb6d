import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { describe, expect, inject, it } from 'vitest'
import { sign } from '../../src/http/signature.ts'
import { createTestDatabase } from '../support/database.ts'
import { publishFigure } from '../support/figures.ts'
import { readMessage } from '../support/inbox.ts'
import { createOrg } from '../support/org.ts'
import { startProcess } from '../support/process.ts'
import type { RunningProcess } from '../support/running-process.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { message, post } from '../support/webhooks.ts'

const SECRET = 'process-secret'
const DOOR = {
  META_APP_SECRET: SECRET,
  META_VERIFY_TOKEN: 'word',
  HOST: '127.0.0.1',
  PORT: '0',
  OPS_PORT: '0',
}

const urls = async (app: RunningProcess) => {
  const line = JSON.parse((await app.printed(/^\{.*"Usher is up".*$/m))[0])
  return { url: line.url as string, opsUrl: line.opsUrl as string }
}

async function send(url: string, body: Buffer): Promise<number> {
  const headers = { 'x-hub-signature-256': sign(body, SECRET) }
  const response = await fetch(`${url}/webhooks/whatsapp`, {
    method: 'POST',
    headers,
    body: new Uint8Array(body),
  })
  await response.text()
  return response.status
}

const statusOf = async (url: string) => {
  const response = await fetch(url)
  await response.text()
  return response.status
}

describe('a process that cannot start', () => {
  it('names every missing variable, and exits 1', async () => {
    const app = startProcess('workers/main.js', ['all'], {})
    expect(await app.exited()).toBe(1)
    expect(app.output()).toContain('META_APP_SECRET is required')
    expect(app.output()).toContain('META_VERIFY_TOKEN is required')
    expect(app.output()).not.toContain('    at ')
  })

  it('says which port is taken and which variable changes it', async () => {
    const { url } = await createTestDatabase()
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const app = startProcess('workers/main.js', ['all'], { ...DOOR, DATABASE_URL: url, PORT: String(port) })
    expect(await app.exited()).toBe(1)
    other.close()
    expect(app.output()).toMatch(
      new RegExp(`Cannot listen on 127.0.0.1:${port}: the port is in use, set PORT`),
    )
  })

  it('names the roles when it is given none', async () => {
    const app = startProcess('workers/main.js', [], DOOR)
    expect(await app.exited()).toBe(1)
    expect(app.output()).toContain('all|server|workers')
  })
})

describe('the split installation', () => {
  it('routes what the server took in by the workers, and both end within seconds of SIGTERM', async () => {
    const { url: DATABASE_URL, db } = await createTestDatabase()
    const org = await createOrg(db)
    const server = startProcess('workers/main.js', ['server'], { ...DOOR, DATABASE_URL })
    const { url } = await urls(server)
    const m = message({})
    expect(await send(url, post(org.phones[0]!, m))).toBe(200)
    const workers = startProcess('workers/main.js', ['workers'], { DATABASE_URL, OPS_PORT: '0' })
    await urls(workers)
    await expect
      .poll(() => readMessage(db, org.id, m.id), { timeout: 20_000 })
      .toMatchObject({ route: 'held' })
    server.child.kill('SIGTERM')
    workers.child.kill('SIGTERM')
    expect(await Promise.all([server.exited(), workers.exited()])).toEqual([0, 0])
  })

  it('never migrates: it may run as a user who must not change the schema', async () => {
    const { url, pool } = await createTestDatabase()
    const name = `bare_${Date.now()}`
    await pool.query(`create database ${name}`)
    const DATABASE_URL = Object.assign(new URL(url), { pathname: `/${name}` }).href
    // Whoever migrates would wait for us, with the lock's name on its door.
    const bare = new pg.Client({ connectionString: DATABASE_URL, application_name: 'test' })
    bare.on('error', () => undefined)
    await bare.connect()
    await bare.query(`select pg_advisory_lock(x'55534852'::int)`)
    const both = [
      startProcess('workers/main.js', ['server'], { ...DOOR, DATABASE_URL }),
      startProcess('workers/main.js', ['workers'], { DATABASE_URL, OPS_PORT: '0' }),
    ]
    for (const one of both) await urls(one)
    const names = async () => {
      const { rows } = await bare.query(
        'select distinct application_name as n from pg_stat_activity where datname = current_database()',
      )
      return rows.map((r) => r.n)
    }
    await expect
      .poll(names, { timeout: 15_000 })
      .toEqual(expect.arrayContaining(['usher-server', 'usher-workers']))
    expect(await names()).not.toContain('usher-migrate')
    for (const one of both) one.child.kill('SIGTERM')
    expect(await Promise.all(both.map((one) => one.exited()))).toEqual([0, 0])
    await bare.end()
    await pool.query(`drop database ${name} with (force)`)
  })

  it('loses nothing when its worker is killed in the middle of its work', async () => {
    const { url: DATABASE_URL, db } = await createTestDatabase()
    const org = await createOrg(db)
    const { url } = await urls(startProcess('workers/main.js', ['server'], { ...DOOR, DATABASE_URL }))
    const env = { DATABASE_URL, OPS_PORT: '0' }
    let workers = startProcess('workers/main.js', ['workers'], env)
    await urls(workers)
    const sent: string[] = []
    for (let round = 0; round < 4; round++) {
      const posts = Array.from({ length: 50 }, async (_, i) => {
        const m = message({ from: `1555666${1000 + i}` })
        if ((await send(url, post(org.phones[0]!, m))) === 200) sent.push(m.id)
        if (i === 25) workers.child.kill('SIGKILL')
      })
      await Promise.all(posts)
      workers = startProcess('workers/main.js', ['workers'], env)
      await urls(workers)
    }
    expect(sent).toHaveLength(200)
    const count = async () => {
      const { rows } = await db.$client.query(
        'select count(*)::int as n from messages where wamid = any($1)',
        [sent],
      )
      return rows[0].n
    }
    await expect.poll(count, { timeout: 55_000, interval: 200 }).toBe(200)
  })
})

describe('a database that is away', () => {
  it('at the start: the door answers 503 and /ready says so; all heals by itself when it comes', async () => {
    const { url, db } = await createTestDatabase()
    const target = new URL(url)
    const proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port) })
    await proxy.set('refuse')
    const DATABASE_URL = Object.assign(new URL(url), { port: String(proxy.port) }).href
    const app = startProcess('workers/main.js', ['all'], { ...DOOR, DATABASE_URL })
    const { url: door, opsUrl } = await urls(app)
    const org = await createOrg(db)
    const m = message({})
    expect(await send(door, post(org.phones[0]!, m))).toBe(503)
    expect(await statusOf(`${opsUrl}/ready`)).toBe(503)
    expect(await statusOf(`${opsUrl}/live`)).toBe(200)
    await proxy.set('pass')
    const back = performance.now()
    await expect.poll(() => send(door, post(org.phones[0]!, m)), { timeout: 10_000 }).toBe(200)
    const seconds = (performance.now() - back) / 1_000
    await expect.poll(() => statusOf(`${opsUrl}/ready`), { timeout: 10_000 }).toBe(200)
    await expect
      .poll(() => readMessage(db, org.id, m.id), { timeout: 20_000 })
      .toMatchObject({ route: 'held' })
    app.child.kill('SIGTERM')
    expect(await app.exited()).toBe(0)
    publishFigure(10, { of: 'process started before its database', n: 1, seconds })
    await proxy.close()
  })

  it('later, and frozen: 503 within 3.5 s, and 200 again after it thaws', async () => {
    const { url, db } = await createTestDatabase()
    const target = new URL(url)
    const proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port) })
    const DATABASE_URL = Object.assign(new URL(url), { port: String(proxy.port) }).href
    const { url: door } = await urls(startProcess('workers/main.js', ['all'], { ...DOOR, DATABASE_URL }))
    const org = await createOrg(db)
    const body = () => post(org.phones[0]!, message({}))
    expect(await send(door, body())).toBe(200)
    await proxy.set('blackhole')
    const before = performance.now()
    expect(await send(door, body())).toBe(503)
    expect(performance.now() - before).toBeLessThan(3_500)
    await proxy.set('pass')
    await expect.poll(() => send(door, body()), { timeout: 20_000 }).toBe(200)
    await proxy.close()
  })
})

describe('a Redis that is away', () => {
  it.runIf(inject('redisUrl') !== '')(
    'is no reason to refuse: 200, and routed when it comes back',
    async () => {
      const { url: DATABASE_URL, db } = await createTestDatabase()
      const target = new URL(inject('redisUrl'))
      const proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port) })
      await proxy.set('refuse')
      const REDIS_URL = `redis://127.0.0.1:${proxy.port}/7`
      const app = startProcess('workers/main.js', ['all'], { ...DOOR, DATABASE_URL, REDIS_URL })
      const { url: door } = await urls(app)
      const org = await createOrg(db)
      const m = message({})
      expect(await send(door, post(org.phones[0]!, m))).toBe(200)
      await proxy.set('pass')
      await db.$client.query(`update inbox set due_at = now()`)
      await expect
        .poll(() => readMessage(db, org.id, m.id), { timeout: 40_000 })
        .toMatchObject({ route: 'held' })
      await proxy.close()
    },
  )
})
