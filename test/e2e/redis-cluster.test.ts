import { randomBytes } from 'node:crypto'
import { describe, expect, inject, it } from 'vitest'
import { sign } from '../../src/http/signature.ts'
import { encryptSecret } from '../../src/secrets.ts'
import { createTestDatabase } from '../support/database.ts'
import { startGraph } from '../support/graph.ts'
import { store } from '../support/inbox.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { startProcess } from '../support/process.ts'
import { startRedisCluster } from '../support/redis-cluster.ts'
import type { RunningProcess } from '../support/running-process.ts'
import { message, post } from '../support/webhooks.ts'

const SECRET = 'cluster-secret'
const KEY = randomBytes(32)
const CUSTOMERS = 40
const ROUTES = ['active', 'reactivated', 'expired', 'held'] as const

const hasRedis = inject('redisUrl') !== ''
if (!hasRedis) process.stderr.write('redis-server not found: Redis Cluster is NOT tested on this machine\n')

const urls = async (app: RunningProcess) => {
  const line = JSON.parse((await app.printed(/^\{.*"Usher is up".*$/m))[0])
  return { url: line.url as string, opsUrl: line.opsUrl as string, queue: line.queue as string }
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

/** An org whose customers 0, 1, 2, ... have in turn an active, a deactivated, an expired and no chatroom. */
async function people(db: Awaited<ReturnType<typeof createTestDatabase>>['db']) {
  const org = await createOrg(db, { auto_reply_text: 'closed' })
  const token = encryptSecret('t', KEY, `${org.id}/${org.wabaId}`)
  await db.$client.query('update wabas set access_token = $2 where org_id = $1', [org.id, token])
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

/** Three nodes, two receivers and two workers, all processes of their own. */
async function startAll(DATABASE_URL: string, graphUrl: string, REDIS_URL: string) {
  const common = { DATABASE_URL, REDIS_URL, OPS_PORT: '0' }
  const receiver = { META_APP_SECRET: SECRET, META_VERIFY_TOKEN: 'word', HOST: '127.0.0.1', PORT: '0' }
  const sender = { GRAPH_API_URL: graphUrl, SECRETS_KEY: KEY.toString('base64') }
  const server = () => startProcess('workers/main.js', ['server'], { ...common, ...receiver })
  const worker = () => startProcess('workers/main.js', ['workers'], { ...common, ...sender })
  const processes = [server(), server(), worker(), worker()]
  const [one, two, ...workers] = await Promise.all(processes.map(urls))
  return {
    processes,
    receivers: [one!.url, two!.url],
    workers: workers.map((w) => w.opsUrl),
    queue: one!.queue,
  }
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
      const app = await startAll(url, graph.url, cluster.url)
      expect(app.queue).toBe('redis')
      const sent = customers.flatMap((customer, i) =>
        [0, 1].map((k) => ({ ...message({ from: customer.from, body: `${i}.${k}` }), customer })),
      )
      // Each message is posted to both receivers at once, and a third time together with the next message.
      const bodies = sent.map(({ customer, ...m }) => post(phone, m))
      const pairs = sent.map((_, i) =>
        post(phone, ...[sent[i]!, sent[(i + 1) % sent.length]!].map(({ customer, ...m }) => m)),
      )
      const posts = [...bodies, ...bodies, ...pairs].map((body, i) =>
        send(app.receivers[Math.floor(i / sent.length) % 2]!, body),
      )
      expect(new Set(await Promise.all(posts))).toEqual(new Set([200]))
      // This delivery has no job, so only the schedule of requeue-stranded finds it.
      const forgotten = message({ from: customers[0]!.from })
      const [id] = await store(db, post(phone, forgotten))
      await db.$client.query(`update inbox set due_at = now() - interval '1 minute' where id = $1`, [id])

      const inbox = async () => (await db.$client.query('select 1 from inbox')).rowCount
      await expect.poll(inbox, { timeout: 30_000, interval: 100 }).toBe(0)
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
      const routed = await Promise.all(app.workers.map(routedBy))
      expect(routed[0]! + routed[1]!).toBe(sent.length + 1)

      const expired = sent.filter(({ customer }) => customer.route === 'expired').length
      const sentReplies = async () =>
        (await db.$client.query(`select 1 from outbox where state = 'sent'`)).rowCount
      await expect.poll(sentReplies, { timeout: 20_000, interval: 100 }).toBe(expired)
      expect(graph.requests).toHaveLength(expired)

      for (const { child } of app.processes) child.kill('SIGTERM')
      expect(await Promise.all(app.processes.map((p) => p.exited()))).toEqual([0, 0, 0, 0])
    } finally {
      await cluster.stop()
    }
  })
})
