import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp } from '../support/app.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { readMessage } from '../support/inbox.ts'
import { createOrg, type TestOrg } from '../support/org.ts'
import { postDelivery } from '../support/post.ts'
import { startProcess, startUsher } from '../support/process.ts'
import type { UsherProcess } from '../support/usher-process.ts'
import { message, post } from '../support/webhooks.ts'

it('a process that cannot start exits 1 and says why: its missing variables, or its missing role', async () => {
  const [noVariables, noRole] = [['all'], []].map((args) => startProcess('workers/main.js', args, {}))
  expect(await noVariables!.exited()).toBe(1)
  expect(noVariables!.output()).toContain('META_APP_SECRET is required')
  expect(noVariables!.output()).toContain('META_VERIFY_TOKEN is required')
  expect(noVariables!.output()).not.toContain('    at ')
  expect(await noRole!.exited()).toBe(1)
  expect(noRole!.output()).toContain('all|server|workers')
})

it('an app whose port is taken says which variable changes it', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const starting = startTestApp('postgres', { PORT: String(port) })
  await expect(starting).rejects.toThrow(`Cannot listen on 127.0.0.1:${port}: the port is in use, set PORT`)
  other.close()
})

describe('the split installation', () => {
  let database: TestDatabase
  let org: TestOrg
  let env: Record<string, string>
  let server: UsherProcess
  let workers: UsherProcess
  let lock: pg.Client

  beforeAll(async () => {
    database = await createTestDatabase()
    org = await createOrg(database.db)
    env = { DATABASE_URL: database.url }
    // A process that migrates would wait for this lock, under the name usher-migrate.
    lock = new pg.Client(database.url)
    await lock.connect()
    await lock.query(`select pg_advisory_lock(x'55534852'::int)`)
    server = await startUsher('server', env, 'file')
    workers = await startUsher('workers', env, 'file')
  })

  afterAll(() => lock.end())

  it('never migrates, because its database user may lack the rights to change the schema', async () => {
    const names = async () => {
      const { rows } = await database.pool.query(
        'select distinct application_name as n from pg_stat_activity where datname = current_database()',
      )
      return rows.map((r) => r.n)
    }
    await expect.poll(names).toEqual(expect.arrayContaining(['usher-server', 'usher-workers']))
    expect(await names()).not.toContain('usher-migrate')
  })

  it('loses nothing when its worker is killed in the middle of its work', async () => {
    const sent: string[] = []
    const posts = Array.from({ length: 100 }, async (_, i) => {
      const m = message({ from: `1555666${1000 + i}` })
      if ((await postDelivery(server.url, post(org.phones[0]!, m))) === 200) sent.push(m.id)
      if (i === 50) workers.child.kill('SIGKILL')
    })
    await Promise.all(posts)
    workers = await startUsher('workers', env, 'file')
    expect(sent).toHaveLength(100)
    const count = async () => {
      const text = 'select count(*)::int as n from messages where wamid = any($1)'
      return (await database.pool.query(text, [sent])).rows[0].n
    }
    await expect.poll(count).toBe(100)
  })

  it('routes by its workers what its server accepted, and both exit 0 after SIGTERM', async () => {
    const m = message({})
    expect(await postDelivery(server.url, post(org.phones[0]!, m))).toBe(200)
    await expect.poll(() => readMessage(database.db, org.id, m.id)).toMatchObject({ route: 'held' })
    expect(await Promise.all([server.stop(), workers.stop()])).toEqual([0, 0])
  })
})
