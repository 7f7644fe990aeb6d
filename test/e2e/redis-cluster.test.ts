import { describe, expect, inject, it } from 'vitest'
import { startTestApp } from '../support/app.ts'
import { createTestDatabase } from '../support/database.ts'
import { startGraph } from '../support/graph.ts'
import { store } from '../support/inbox.ts'
import { createRoom, createSendingOrg, SECRETS_KEY } from '../support/org.ts'
import { startRedisCluster } from '../support/redis-cluster.ts'
import { message, post } from '../support/webhooks.ts'

const CUSTOMERS = 40
const ROUTES = ['active', 'reactivated', 'expired', 'held'] as const

const hasRedis = inject('redisUrl') !== ''
if (!hasRedis) process.stderr.write('redis-server not found: Redis Cluster is NOT tested on this machine\n')

/** An org whose customers 0, 1, 2, ... have in turn an active, a deactivated, an expired and no chatroom. */
async function people(db: Awaited<ReturnType<typeof createTestDatabase>>['db']) {
  const org = await createSendingOrg(db)
  const ago = new Date(Date.now() - 1_000)
  const states = [{}, { deactivatedAt: ago }, { expiredAt: ago }, undefined]
  const customers = []
  for (let i = 0; i < CUSTOMERS; i++) {
    const from = `1555777${1000 + i}`
    const state = states[i % states.length]
    const room = state && (await createRoom(db, org, { customer: `+${from}`, ...state }))
    customers.push({ from, roomId: room?.id ?? null, route: ROUTES[i % states.length] })
  }
  return { org, phone: org.phones[0]!, customers }
}

async function routedBy(opsUrl: string): Promise<number> {
  const text = await (await fetch(`${opsUrl}/metrics`)).text()
  const counts = [...text.matchAll(/^usher_messages_routed_total\{.*\} (\d+)$/gm)]
  return counts.reduce((sum, [, count]) => sum + Number(count), 0)
}

describe.runIf(hasRedis)('two receivers and two workers on a Redis Cluster of three nodes', () => {
  it('route every acknowledged message once and to its own chatroom, answer once, and keep the schedules', async () => {
    const { url, db } = await createTestDatabase()
    const { org, phone, customers } = await people(db)
    const [graph, cluster] = await Promise.all([startGraph(), startRedisCluster()])
    try {
      const env = {
        ...{ DATABASE_URL: url, REDIS_URL: cluster.url },
        ...{ GRAPH_API_URL: graph.url, SECRETS_KEY },
      }
      const start = (role: 'server' | 'workers') => startTestApp('redis', env, { role })
      const receivers = await Promise.all([start('server'), start('server')])
      const workers = await Promise.all([start('workers'), start('workers')])
      const sent = customers.flatMap((customer, i) =>
        [0, 1].map((k) => ({ ...message({ from: customer.from, body: `${i}.${k}` }), customer })),
      )
      // Each message is posted to both receivers at once, and a third time together with the next message.
      const bodies = sent.map(({ customer, ...m }) => post(phone, m))
      const pairs = sent.map((_, i) =>
        post(phone, ...[sent[i]!, sent[(i + 1) % sent.length]!].map(({ customer, ...m }) => m)),
      )
      const posts = [...bodies, ...bodies, ...pairs].map((body, i) =>
        receivers[Math.floor(i / sent.length) % 2]!.post(body),
      )
      expect(new Set(await Promise.all(posts))).toEqual(new Set([200]))
      // This delivery has no job, so only the schedule of requeue-stranded finds it.
      const forgotten = message({ from: customers[0]!.from })
      const [id] = await store(db, post(phone, forgotten))
      await db.$client.query(`update inbox set due_at = now() - interval '1 minute' where id = $1`, [id])

      const inbox = async () => (await db.$client.query('select 1 from inbox')).rowCount
      await expect.poll(inbox).toBe(0)
      const { rows } = await db.$client.query(
        `select wamid, chatroom_id, route from messages where org_id = $1 and direction = 'in'`,
        [org.id],
      )
      const found = new Map(rows.map((r) => [r.wamid, [r.chatroom_id, r.route]]))
      expect(rows).toHaveLength(sent.length + 1)
      expect(found.get(forgotten.id)).toEqual([customers[0]!.roomId, 'active'])
      const wrong = sent.filter(({ id, customer }) => {
        const [room, route] = found.get(id) ?? []
        // Of the two messages for a deactivated chatroom, one reactivates it and the other finds it active.
        const routes = customer.route === 'reactivated' ? ['reactivated', 'active'] : [customer.route]
        return room !== customer.roomId || !routes.includes(route)
      })
      expect(wrong).toEqual([])
      const routed = await Promise.all(workers.map(({ opsUrl }) => routedBy(opsUrl)))
      expect(routed[0]! + routed[1]!).toBe(sent.length + 1)

      const expired = sent.filter(({ customer }) => customer.route === 'expired').length
      const sentReplies = async () =>
        (await db.$client.query(`select 1 from outbox where state = 'sent'`)).rowCount
      await expect.poll(sentReplies).toBe(expired)
      expect(graph.requests).toHaveLength(expired)
      await Promise.all([...receivers, ...workers].map((app) => app.lifetime.stop(10_000)))
    } finally {
      await cluster.stop()
    }
  })
})
