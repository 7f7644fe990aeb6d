import { describe, expect, inject, it } from 'vitest'
import { startTestApp } from '../support/app.ts'
import { createTestDatabase } from '../support/database.ts'
import { publishFigure } from '../support/figures.ts'
import { readMessage } from '../support/inbox.ts'
import { createOrg } from '../support/org.ts'
import { SLOWNESS } from '../support/patience.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { message, post } from '../support/webhooks.ts'

const statusOf = async (url: string) => {
  const response = await fetch(url)
  await response.text()
  return response.status
}

/** A database behind a proxy that can take it away. */
async function databaseBehindProxy() {
  const { url, db } = await createTestDatabase()
  const target = new URL(url)
  const proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port) })
  return { db, proxy, DATABASE_URL: Object.assign(new URL(url), { port: String(proxy.port) }).href }
}

describe('a database that is away', () => {
  it('at the start: the receiver answers 503 and /ready says so; all recovers when it comes', async () => {
    const { db, proxy, DATABASE_URL } = await databaseBehindProxy()
    await proxy.set('refuse')
    const app = await startTestApp('postgres', { DATABASE_URL })
    const org = await createOrg(db)
    const m = message({})
    expect(await app.post(post(org.phones[0]!, m))).toBe(503)
    expect(await statusOf(`${app.opsUrl}/ready`)).toBe(503)
    expect(await statusOf(`${app.opsUrl}/live`)).toBe(200)
    await proxy.set('pass')
    const back = performance.now()
    await expect.poll(() => app.post(post(org.phones[0]!, m))).toBe(200)
    const seconds = (performance.now() - back) / 1_000
    await expect.poll(() => statusOf(`${app.opsUrl}/ready`)).toBe(200)
    await expect.poll(() => readMessage(db, org.id, m.id)).toMatchObject({ route: 'held' })
    publishFigure(10, { of: 'process started before its database', n: 1, seconds })
    await app.lifetime.stop(10_000)
    await proxy.close()
  })

  it('later, and silent: 503 within 3 s, and 200 again when it answers', async () => {
    const { db, proxy, DATABASE_URL } = await databaseBehindProxy()
    const app = await startTestApp('postgres', { DATABASE_URL })
    const org = await createOrg(db)
    const body = () => post(org.phones[0]!, message({}))
    expect(await app.post(body())).toBe(200)
    await proxy.set('blackhole')
    const before = performance.now()
    expect(await app.post(body())).toBe(503)
    // The promise is 3 s for the insert; the rest is the request itself.
    expect(performance.now() - before).toBeLessThan(3_000 + 500 * SLOWNESS)
    await proxy.set('pass')
    await expect.poll(() => app.post(body())).toBe(200)
    await app.lifetime.stop(10_000)
    await proxy.close()
  })
})

describe('a Redis that is away', () => {
  it.runIf(inject('redisUrl') !== '')(
    'is no reason to refuse: 200, and routed when it comes back',
    async () => {
      const target = new URL(inject('redisUrl'))
      const proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port) })
      await proxy.set('refuse')
      const app = await startTestApp('redis', { REDIS_URL: `redis://127.0.0.1:${proxy.port}/7` })
      const org = await createOrg(app.db)
      // Two deliveries at once are stored as a batch, of which no worker is notified.
      const messages = [message({}), message({}), message({})]
      const posts = messages.map((m) => app.post(post(org.phones[0]!, m)))
      expect(new Set(await Promise.all(posts))).toEqual(new Set([200]))
      await proxy.set('pass')
      await app.db.$client.query(`update inbox set due_at = now()`)
      for (const { id } of messages)
        await expect.poll(() => readMessage(app.db, org.id, id)).toMatchObject({ route: 'held' })
      await app.lifetime.stop(10_000)
      await proxy.close()
    },
  )

  it('does not delay a single delivery, because workers are notified of it', async () => {
    const app = await startTestApp('redis', { REDIS_URL: 'redis://127.0.0.1:1' })
    const org = await createOrg(app.db)
    const listening = async () =>
      (
        await app.db.$client.query(`select 1 from pg_stat_activity
          where application_name = 'usher-listener' and state = 'idle' and datname = current_database()`)
      ).rowCount
    await expect.poll(listening).toBe(1)
    const m = message({})
    expect(await app.post(post(org.phones[0]!, m))).toBe(200)
    await expect.poll(() => readMessage(app.db, org.id, m.id)).toBeDefined()
  })
})
