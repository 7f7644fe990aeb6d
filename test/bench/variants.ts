import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import type { Pool } from 'pg'
import { startRedis } from '../support/redis.ts'
import { QUEUE } from './plain/queue.ts'
import { type Process, startScript, startUsher } from './processes.ts'
import { SECRET } from './requests.ts'

/** Where a variant runs: its database, and Redis when this machine has one. */
export type World = {
  databaseUrl: string
  redisUrl: string | undefined
  pool: Pool
  workerProcesses: number
  /** The checkout whose processes run, this one unless given. */
  root?: string
}

export type Running = {
  processes: Process[]
  port: number
  /** True when everything acknowledged has been routed; undefined for a variant that stores nothing. */
  drained: (() => Promise<boolean>) | undefined
  stop(): Promise<void>
}

export type Variant = {
  title: string
  needsRedis: boolean
  start(world: World): Promise<Running>
}

const PLAIN_CONCURRENCY = '16'
const ONE_PROCESS = { PROCESSES: '1' }
const TWO_PROCESSES = { PROCESSES: '2' }

/** Everything the bench can compare, by the name that `--only` takes. */
export const VARIANTS = {
  redis: {
    title: 'Usher, queue on Redis',
    needsRedis: true,
    start: (world) => usher(world, apart(world), world.redisUrl),
  },
  'redis-one': {
    title: 'Usher, queue on Redis, one process',
    needsRedis: true,
    start: (world) => usher(world, ['all'], world.redisUrl, ONE_PROCESS),
  },
  'redis-all': {
    title: 'Usher, queue on Redis, npm start on all cores',
    needsRedis: true,
    start: (world) => usher(world, ['all'], world.redisUrl, TWO_PROCESSES),
  },
  postgres: {
    title: 'Usher, PostgreSQL only',
    needsRedis: false,
    start: (world) => usher(world, apart(world), undefined),
  },
  'postgres-one': {
    title: 'Usher, PostgreSQL only, one process',
    needsRedis: false,
    start: (world) => usher(world, ['all'], undefined, ONE_PROCESS),
  },
  'postgres-all': {
    title: 'Usher, PostgreSQL only, npm start on all cores',
    needsRedis: false,
    start: (world) => usher(world, ['all'], undefined, TWO_PROCESSES),
  },
  'postgres-in-express': {
    title: 'Usher, PostgreSQL only, without the short cut in front of Express',
    needsRedis: false,
    start: (world) => usher(world, apart(world), undefined, { RECEIVER_SHORTCUT: 'off' }),
  },
  plain: { title: 'The plain design, queue on Redis', needsRedis: true, start: plain },
  'plain-durable': {
    title: 'The plain design, its Redis on disk before it answers',
    needsRedis: true,
    start: plainDurable,
  },
  express: { title: 'Bare Express', needsRedis: false, start: () => bare('express') },
  http: { title: 'Bare node:http', needsRedis: false, start: () => bare('http') },
} satisfies Record<string, Variant>

type Role = Parameters<typeof startUsher>[0]

/** Server and workers apart, as the plain design has them. */
const apart = (world: World): Role[] => [
  'server',
  ...Array.from({ length: world.workerProcesses }, () => 'workers' as const),
]

/** A server and workers of their own, with the queue on Redis where this machine has it. */
export function startApart(world: World, settings: Record<string, string> = {}): Promise<Running> {
  return usher(world, apart(world), world.redisUrl, settings)
}

async function usher(
  { databaseUrl, pool, root }: World,
  roles: Role[],
  redisUrl: string | undefined,
  settings: Record<string, string> = {},
): Promise<Running> {
  if (redisUrl !== undefined) await empty(redisUrl)
  const env = { DATABASE_URL: databaseUrl, ...(redisUrl && { REDIS_URL: redisUrl }), ...settings }
  const processes: Process[] = []
  for (const role of roles) processes.push(await startUsher(role, env, root))
  const drained = async () =>
    (await pool.query(`select 1 from inbox where state = 'new' limit 1`)).rowCount === 0
  return running(processes, drained)
}

async function plain({ databaseUrl, redisUrl = '' }: World): Promise<Running> {
  await empty(redisUrl)
  const env = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    META_APP_SECRET: SECRET,
    CONCURRENCY: PLAIN_CONCURRENCY,
  }
  const worker = await startScript('workers', 'plain/worker.js', env)
  const server = await startScript('server', 'plain/server.js', env)
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null })
  const queue = new Queue(QUEUE, { connection })
  const drained = async () => {
    const counts = await queue.getJobCounts('wait', 'active', 'delayed', 'prioritized')
    return Object.values(counts).every((count) => count === 0)
  }
  const { stop, ...rest } = running([server, worker], drained)
  return {
    ...rest,
    stop: async () => {
      await queue.close()
      connection.disconnect()
      await stop()
    },
  }
}

/** The plain design with a Redis that writes to the disk first, so that its 200 survives a power cut as Usher's does. */
async function plainDurable(world: World): Promise<Running> {
  const redis = await startRedis(undefined, ['--appendonly', 'yes', '--appendfsync', 'always'])
  const { stop, ...rest } = await plain({ ...world, redisUrl: redis.url })
  return {
    ...rest,
    stop: async () => {
      await stop()
      await redis.stop()
    },
  }
}

async function bare(kind: 'express' | 'http'): Promise<Running> {
  return running([await startScript('server', `bare/${kind}.js`, { META_APP_SECRET: SECRET })], undefined)
}

/** Processes as a variant; the first that listens takes the load. */
export function running(processes: Process[], drained: Running['drained']): Running {
  const port = processes.find((p) => p.port !== undefined)?.port ?? 0
  return {
    ...{ processes, port, drained },
    stop: async () => {
      await Promise.all(processes.map((p) => p.stop()))
    },
  }
}

async function empty(redisUrl: string): Promise<void> {
  const client = new Redis(redisUrl)
  await client.flushall()
  client.disconnect()
}
