import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from '../../src/db/embedded/server.ts'
import { type RunningRedis, startRedis } from './redis.ts'

const NODES = 3
const SLOTS = 16_384

/** Starts a Redis Cluster of three nodes, a third of the slots each; `url` names all of them. `stop` kills them. */
export async function startRedisCluster(): Promise<{
  url: string
  nodes: RunningRedis[]
  stop(): Promise<void>
}> {
  const nodes: RunningRedis[] = []
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()))
  }
  try {
    for (let i = 0; i < NODES; i++) nodes.push(await startNode())
    await join(nodes.map(({ url }) => url))
    return { url: nodes.map(({ url }) => url).join(','), nodes, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The bus would listen 10,000 ports above, which may not exist. */
async function startNode(): Promise<RunningRedis> {
  const bus = ['--cluster-port', String(await freePort()), '--cluster-node-timeout', '2000']
  return startRedis(undefined, ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf', ...bus])
}

/** Every node gets its slots and an epoch of its own, and meets the first; done when each sees all slots served. */
async function join(urls: string[]): Promise<void> {
  const clients = urls.map((url) => new Redis(url))
  try {
    const [first] = urls
    const { port } = new URL(first ?? '')
    const bus = (await clients[0]?.config('GET', 'cluster-port')) as string[]
    for (const [i, client] of clients.entries()) {
      const slots = [Math.floor((i * SLOTS) / NODES), Math.floor(((i + 1) * SLOTS) / NODES) - 1]
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)
      await client.call('CLUSTER', 'ADDSLOTSRANGE', ...slots)
      if (i > 0) await client.call('CLUSTER', 'MEET', '127.0.0.1', port, bus[1] ?? '')
    }
    const isWhole = async (client: Redis) => {
      const info = String(await client.call('CLUSTER', 'INFO'))
      return /cluster_state:ok/.test(info) && info.includes(`cluster_known_nodes:${NODES}`)
    }
    for (const deadline = Date.now() + 10_000; ; await sleep(50)) {
      if ((await Promise.all(clients.map(isWhole))).every(Boolean)) return
      if (Date.now() > deadline) throw new Error('the Redis Cluster did not come together in 10 s')
    }
  } finally {
    for (const client of clients) client.disconnect()
  }
}
