import { describe, expect, it } from 'vitest'
import { type DatabaseOptions, openDatabase } from '../../src/db/client.ts'
import { producerPool, workerPool } from '../../src/queue/postgres.ts'
import { startTestApp } from '../support/app.ts'
import { atEndOf } from '../support/at-end.ts'
import { createTestDatabase } from '../support/database.ts'
import { createOrg } from '../support/org.ts'
import { eventually } from '../support/patience.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { message, post } from '../support/webhooks.ts'

/** A database behind a proxy through which each new connection takes 2.5 s. */
async function startLate() {
  const database = await createTestDatabase()
  const { hostname: host, port } = new URL(database.url)
  const proxy = await startTcpProxy({ host, port: Number(port) })
  await proxy.set('late')
  atEndOf('test', proxy.close)
  const url = Object.assign(new URL(database.url), { hostname: '127.0.0.1', port: String(proxy.port) }).href
  const open = (options: Partial<DatabaseOptions> = {}) => {
    const { db, close } = openDatabase(url, { max: 1, name: 'late', onLost: () => {}, ...options })
    atEndOf('test', close)
    return db.$client
  }
  return { ...database, proxy, url, open }
}

describe('where making a connection takes longer than a caller waits', () => {
  it('the caller fails after 2 s, and the connection serves the next one', async () => {
    const { open, proxy } = await startLate()
    const pool = open()
    const begin = performance.now()
    await expect(pool.query('select 1')).rejects.toThrow('timeout exceeded when trying to connect')
    expect(performance.now() - begin).toBeGreaterThan(1_900)
    expect((await pool.query('select 1 as n')).rows).toEqual([{ n: 1 }])
    expect(proxy.open()).toBe(1)
  })

  it.each([
    ['of a queue', (url: string) => producerPool(url, 500, 1)],
    ['of a worker', (url: string) => workerPool(url, 1)],
  ])('a connection %s is made once, however often it is asked for meanwhile', async (_, openPool) => {
    const { url, proxy } = await startLate()
    const pool = openPool(url)
    atEndOf('test', () => pool.end())
    let failures = 0
    await eventually(() =>
      pool.query('select 1').then(
        () => true,
        () => {
          failures += 1
          return false
        },
      ),
    )
    expect(failures).toBeGreaterThan(0)
    expect(proxy.open()).toBe(1)
  })

  it('a caller that has more time waits for it', async () => {
    const { open } = await startLate()
    expect((await open({ waitMs: 60_000 }).query('select 1 as n')).rows).toEqual([{ n: 1 }])
  })

  it('a receiver that starts then answers 503 first, and 200 soon after, and is ready', async () => {
    const { db, url } = await startLate()
    const org = await createOrg(db)
    const app = await startTestApp('postgres', { DATABASE_URL: url }, { role: 'server' })
    const body = post(org.phones[0]!, message({}))
    await expect.poll(() => app.post(body)).toBe(200)
    expect((await db.$client.query('select from inbox')).rowCount).toBeGreaterThan(0)
    await expect.poll(async () => (await fetch(`${app.opsUrl}/ready`)).status).toBe(200)
  })
})
