import { type ConnectionOptions, createRedisBackend, type Telemetry } from 'bullmq'
import type { RedisAccess } from '../config.ts'
import { within } from '../deadline.ts'
import { asConnection, pingPostgres, postgresBackend, producerPool, workerPool } from './postgres.ts'
import { keyPrefix, pingRedis, producerClient, workerClient } from './redis.ts'

/** The store that BullMQ runs on, and how a `Queue` or a `Worker` connects to it. */
export type Engine = {
  kind: 'redis' | 'postgres'
  /** Third argument of a `Queue`, fourth of a `Worker`. */
  backend: typeof createRedisBackend
  /** Opens the connection of Queues: a command that takes longer than `patienceMs` fails. */
  connectQueue(patienceMs: number): Connection
  /** Opens the connection of one Worker, which waits for as long as the store is away. */
  connectWorker(): Connection
  /** Rejects when the store does not answer over a new connection. To be called through the function `ping`. */
  ping(timeoutMs: number): Promise<void>
}

/** The options of one Queue or Worker, and how to cut the connections that remain open after it was closed. */
type Connection = {
  options: {
    connection: ConnectionOptions
    prefix?: string
    skipVersionCheck: boolean
    telemetry?: Telemetry
  }
  disconnect(): void
}

const PING_MS = 1_000

/**
 * Chooses BullMQ's store: Redis where it is configured, else PostgreSQL, in the schema `bullmq`, which must be migrated.
 * With `telemetry`, jobs carry their trace on. Opens no connection yet and never throws.
 */
export function openEngine(config: {
  redis: RedisAccess | undefined
  databaseUrl: string
  /** PostgreSQL gives few connections: each Queue and Worker has as few as it can work with. */
  isScarce?: boolean
  telemetry?: Telemetry | undefined
}): Engine {
  const { redis, databaseUrl, isScarce = false, telemetry } = config
  const traced: Traced = telemetry ? { telemetry } : {}
  return redis ? onRedis(redis, traced) : onPostgres(databaseUrl, isScarce, traced)
}

type Traced = { telemetry?: Telemetry }

const pings = new WeakMap<Engine, Promise<void>>()

/**
 * Proves within a second that the store answers. Simultaneous callers share one connection, so that a store that comes
 * back is not met by many connections at once.
 * @throws DeadlineError, or what the store or the network says.
 */
export function ping(engine: Engine): Promise<void> {
  const running =
    pings.get(engine) ?? within(PING_MS, () => engine.ping(PING_MS)).finally(() => pings.delete(engine))
  pings.set(engine, running)
  return running
}

function onRedis(redis: RedisAccess, traced: Traced): Engine {
  let mayReadInfo = true
  const connected = (client: ReturnType<typeof workerClient>, skipVersionCheck: boolean): Connection => ({
    options: { connection: client, prefix: keyPrefix(redis), skipVersionCheck, ...traced },
    disconnect: () => client.disconnect(),
  })
  return {
    kind: 'redis',
    backend: createRedisBackend,
    connectQueue: (patienceMs) => connected(producerClient(redis, patienceMs), true),
    // BullMQ checks the version by INFO. Without it, delayed jobs start up to a second late.
    connectWorker: () => connected(workerClient(redis), !mayReadInfo),
    ping: async (timeoutMs) => {
      mayReadInfo = (await pingRedis(redis, timeoutMs)).mayReadInfo
    },
  }
}

function onPostgres(url: string, isScarce: boolean, traced: Traced): Engine {
  const connected = (pool: ReturnType<typeof workerPool>): Connection => ({
    options: { connection: asConnection(pool), skipVersionCheck: false, ...traced },
    disconnect: () => void pool.end().catch(() => undefined),
  })
  return {
    kind: 'postgres',
    backend: postgresBackend,
    connectQueue: (patienceMs) => connected(producerPool(url, patienceMs, isScarce ? 1 : 3)),
    connectWorker: () => connected(workerPool(url, isScarce ? 2 : 4)),
    ping: (timeoutMs) => pingPostgres(url, timeoutMs),
  }
}
