import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { engines, startTestApp } from '../support/app.ts'
import { createTestDatabase } from '../support/database.ts'
import { startGraph } from '../support/graph.ts'
import { createRoom, createSendingOrg, SECRETS_KEY } from '../support/org.ts'
import { startUsher } from '../support/process.ts'
import { startRedis } from '../support/redis.ts'
import { createRedisUser, documentedRights } from '../support/redis-user.ts'
import { ago } from '../support/time.ts'
import { message, post } from '../support/webhooks.ts'

const hasRedis = engines().includes('redis')

async function newRedis() {
  const redis = await startRedis()
  return { ...redis, admin: new Redis(redis.url) }
}

describe.runIf(hasRedis)('a user of Redis with exactly the documented rights', () => {
  it('is enough to route, to send, to sweep and to show the queues, for two installations in one Redis', async () => {
    const redis = await newRedis()
    const start = async (prefix: string) => {
      const database = await createTestDatabase()
      const [graph, org] = [await startGraph(), await createSendingOrg(database.db)]
      await createRoom(database.db, org, { customer: '+15550001111', expiredAt: ago(1) })
      const app = await startTestApp('redis', {
        ...{ DATABASE_URL: database.url, REDIS_URL: await createRedisUser(redis.url, prefix) },
        ...{ REDIS_PREFIX: prefix, GRAPH_API_URL: graph.url, SECRETS_KEY },
      })
      return { app, graph, org }
    }
    const [one, two] = [await start('usher'), await start('eu-1')]
    for (const { app, graph, org } of [one, two]) {
      const senders = ['15550001111', '15550002222', '15550003333']
      const bodies = senders.map((from) => post(org.phones[0]!, message({ from })))
      expect(await Promise.all(bodies.map((body) => app.post(body)))).toEqual([200, 200, 200])
      await app.drained()
      await expect.poll(() => graph.accepted.length).toBe(1)
      const ready = async () =>
        ((await (await fetch(`${app.opsUrl}/ready`)).json()) as { status: string }).status
      await expect.poll(ready).toBe('ready')
      const authorization = `Basic ${Buffer.from('ops:ops-password').toString('base64')}`
      const queues = await fetch(`${app.opsUrl}/queues/api/queues`, { headers: { authorization } })
      expect(queues.status).toBe(200)
    }
    const keys = await redis.admin.keys('*')
    expect(keys.filter((key) => !/^(\{(usher|eu-1)\}:|(usher|eu-1)-limit:)/.test(key))).toEqual([])
    const refused = (await redis.admin.call('ACL', 'LOG')) as unknown[][]
    const refusedCommands = refused.map((entry) => String(entry[entry.indexOf('object') + 1]))
    // What BullMQ and Bull Board try, and do without.
    const tried = ['info', 'client|list', 'client|setname']
    expect(refusedCommands.filter((one) => !tried.includes(one))).toEqual([])
    redis.admin.disconnect()
    await Promise.all([one, two].map(({ app }) => app.lifetime.stop(5_000)))
    await redis.stop()
  })

  it('whose right to write is missing keeps workers from being ready, and the log says what to do', async () => {
    const redis = await newRedis()
    const { url: DATABASE_URL } = await createTestDatabase()
    const rights = documentedRights().filter((right) => right !== '+set')
    const REDIS_URL = await createRedisUser(redis.url, 'usher', rights)
    const workers = await startUsher('workers', { DATABASE_URL, REDIS_URL })
    await workers.printed(/Usher waits: .*lacks rights: give it those that docs\/operate\.md lists/)
    expect((await fetch(`${workers.opsUrl}/ready`)).status).toBe(503)
    expect(workers.output()).not.toContain('Usher is up')
    await createRedisUser(redis.url)
    await workers.printed(/"Usher is up"/)
    redis.admin.disconnect()
    await workers.stop()
    await redis.stop()
  })
})
