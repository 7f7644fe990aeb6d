import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { describe, expect, inject, it } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { publishFigure } from '../support/figures.ts'
import { readMessage } from '../support/inbox.ts'
import { createOrg } from '../support/org.ts'
import { SLOWNESS } from '../support/patience.ts'
import { postDelivery } from '../support/post.ts'
import { startProcess, startUsher } from '../support/process.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { spawnUsher } from '../support/usher-process.ts'
import { message, post } from '../support/webhooks.ts'

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
    const app = spawnUsher('all', { DATABASE_URL: url, PORT: String(port) })
    expect(await app.exited()).toBe(1)
    other.close()
    expect(app.output()).toMatch(
      new RegExp(`Cannot listen on 127.0.0.1:${port}: the port is in use, set PORT`),
    )
  })

  it('names the roles when it is given none', async () => {
    const app = startProcess('workers/main.js', [], {})
    expect(await app.exited()).toBe(1)
    expect(app.output()).toContain('all|server|workers')
  })
})

describe('the split installation', () => {
  it('routes what the server took in by the workers, and both end within seconds of SIGTERM', async () => {
    const { url: DATABASE_URL, db } = await createTestDatabase()
    const org = await createOrg(db)
    const server = await startUsher('server', { DATABASE_URL })
    const m = message({})
    expect(await postDelivery(server.url, post(org.phones[0]!, m))).toBe(200)
    const workers = await startUsher('workers', { DATABASE_URL })
    await expect.poll(() => readMessage(db, org.id, m.id)).toMatchObject({ route: 'held' })
    expect(await Promise.all([server.stop(), workers.stop()])).toEqual([0, 0])
  })

  it('never migrates: it may run as a user who must not change the schema', async () => {
    const { url, pool } = await createTestDatabase()
    const name = `bare_${Date.now()}`
    await pool.query(`create database ${name}`)
    const DATABASE_URL = Object.assign(new URL(url), { pathname: `/${name}` }).href
    // A process that migrates would wait for this lock, under the name usher-migrate.
    const bare = new pg.Client({ connectionString: DATABASE_URL, application_name: 'test' })
    bare.on('error', () => undefined)
    await bare.connect()
    await bare.query(`select pg_advisory_lock(x'55534852'::int)`)
    const both = await Promise.all(
      (['server', 'workers'] as const).map((role) => startUsher(role, { DATABASE_URL })),
    )
    const names = async () => {
      const { rows } = await bare.query(
        'select distinct application_name as n from pg_stat_activity where datname = current_database()',
      )
      return rows.map((r) => r.n)
    }
    await expect.poll(names).toEqual(expect.arrayContaining(['usher-server', 'usher-workers']))
    expect(await names()).not.toContain('usher-migrate')
    expect(await Promise.all(both.map((one) => one.stop()))).toEqual([0, 0])
    await bare.end()
    await pool.query(`drop database ${name} with (force)`)
  })

  it('loses nothing when its worker is killed in the middle of its work', async () => {
    const { url: DATABASE_URL, db } = await createTestDatabase()
    const org = await createOrg(db)
    const { url } = await startUsher('server', { DATABASE_URL })
    let workers = await startUsher('workers', { DATABASE_URL })
    const sent: string[] = []
    for (let round = 0; round < 4; round++) {
      const posts = Array.from({ length: 50 }, async (_, i) => {
        const m = message({ from: `1555666${1000 + i}` })
        if ((await postDelivery(url, post(org.phones[0]!, m))) === 200) sent.push(m.id)
        if (i === 25) workers.child.kill('SIGKILL')
      })
      await Promise.all(posts)
      workers = await startUsher('workers', { DATABASE_URL })
    }
    expect(sent).toHaveLength(200)
    const count = async () => {
      const { rows } = await db.$client.query(
        'select count(*)::int as n from messages where wamid = any($1)',
        [sent],
      )
      return rows[0].n
    }
    await expect.poll(count).toBe(200)
  })
})

describe('a database that is away', () => {
  it('at the start: the receiver answers 503 and /ready says so; all heals by itself when it comes', async () => {
    const { url, db } = await createTestDatabase()
    const target = new URL(url)
    const proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port) })
    await proxy.set('refuse')
    const DATABASE_URL = Object.assign(new URL(url), { port: String(proxy.port) }).href
    const app = await startUsher('all', { DATABASE_URL })
    const { url: receiver, opsUrl } = app
    const org = await createOrg(db)
    const m = message({})
    expect(await postDelivery(receiver, post(org.phones[0]!, m))).toBe(503)
    expect(await statusOf(`${opsUrl}/ready`)).toBe(503)
    expect(await statusOf(`${opsUrl}/live`)).toBe(200)
    await proxy.set('pass')
    const back = performance.now()
    await expect.poll(() => postDelivery(receiver, post(org.phones[0]!, m))).toBe(200)
    const seconds = (performance.now() - back) / 1_000
    await expect.poll(() => statusOf(`${opsUrl}/ready`)).toBe(200)
    await expect.poll(() => readMessage(db, org.id, m.id)).toMatchObject({ route: 'held' })
    expect(await app.stop()).toBe(0)
    publishFigure(10, { of: 'process started before its database', n: 1, seconds })
    await proxy.close()
  })

  it('later, and silent: 503 within 3 s, and 200 again when it answers', async () => {
    const { url, db } = await createTestDatabase()
    const target = new URL(url)
    const proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port) })
    const DATABASE_URL = Object.assign(new URL(url), { port: String(proxy.port) }).href
    const { url: receiver } = await startUsher('all', { DATABASE_URL })
    const org = await createOrg(db)
    const body = () => post(org.phones[0]!, message({}))
    expect(await postDelivery(receiver, body())).toBe(200)
    await proxy.set('blackhole')
    const before = performance.now()
    expect(await postDelivery(receiver, body())).toBe(503)
    // The promise is 3 s for the insert; the rest is the request itself.
    expect(performance.now() - before).toBeLessThan(3_000 + 500 * SLOWNESS)
    await proxy.set('pass')
    await expect.poll(() => postDelivery(receiver, body())).toBe(200)
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
      const { url: receiver } = await startUsher('all', { DATABASE_URL, REDIS_URL })
      const org = await createOrg(db)
      const m = message({})
      expect(await postDelivery(receiver, post(org.phones[0]!, m))).toBe(200)
      await proxy.set('pass')
      await db.$client.query(`update inbox set due_at = now()`)
      await expect.poll(() => readMessage(db, org.id, m.id)).toMatchObject({ route: 'held' })
      await proxy.close()
    },
  )
})
