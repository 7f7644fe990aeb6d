import { type ConnectionOptions, createRedisBackend, type Telemetry } from 'bullmq'
import { within } from '../deadline.ts'
import { asConnection, askPostgres, postgresBackend, producerPool, workerPool } from './postgres.ts'
import { askRedis, PREFIX, producerClient, workerClient } from './redis.ts'

/** The store that BullMQ runs on, and how a `Queue` or `Worker` is connected to it. */
export type Engine = {
  kind: 'redis' | 'postgres'
  /** Third argument of a `Queue`, fourth of a `Worker`. */
  backend: typeof createRedisBackend
  /** For one Queue: what cannot be done now fails within 500 ms. */
  connectQueue(): Connection
  /** For one Worker: waits as long as the store is away. */
  connectWorker(): Connection
  /** Rejects when the store does not answer over a new connection; used by `ping`. */
  ask(timeoutMs: number): Promise<void>
}

/** Options of one Queue or Worker, and how to cut what closing that object leaves connected. */
type Connection = {
  options: {
    connection: ConnectionOptions
    prefix: string
    skipVersionCheck: boolean
    telemetry?: Telemetry
  }
  disconnect(): void
}

const PING_MS = 1_000

/**
 * Chooses BullMQ's store: Redis for one URL, Redis Cluster for several, PostgreSQL (schema `bullmq`, migrated
 * beforehand) for none. With `telemetry`, jobs carry their trace on. Connects to nothing yet and never throws.
 */
export function openEngine(config: {
  redisUrls: string[]
  databaseUrl: string
  telemetry?: Telemetry | undefined
}): Engine {
  const { redisUrls, databaseUrl, telemetry } = config
  const traced: Traced = telemetry ? { telemetry } : {}
  return redisUrls.length > 0 ? onRedis(redisUrls, traced) : onPostgres(databaseUrl, traced)
}

type Traced = { telemetry?: Telemetry }

const pings = new WeakMap<Engine, Promise<void>>()

/**
 * Proves within a second that the store answers. Those who ask at the same time share one connection: a store that
 * comes back is not met by a storm of them.
 * @throws DeadlineError, or what the store or the network says.
 */
export function ping(engine: Engine): Promise<void> {
  const running =
    pings.get(engine) ?? within(PING_MS, () => engine.ask(PING_MS)).finally(() => pings.delete(engine))
  pings.set(engine, running)
  return running
}

function onRedis(urls: string[], traced: Traced): Engine {
  const connected = (client: ReturnType<typeof workerClient>, skipVersionCheck: boolean): Connection => ({
    options: { connection: client, prefix: PREFIX, skipVersionCheck, ...traced },
    disconnect: () => client.disconnect(),
  })
  return {
    kind: 'redis',
    backend: createRedisBackend,
    connectQueue: () => connected(producerClient(urls), true),
    connectWorker: () => connected(workerClient(urls), false),
    ask: (timeoutMs) => askRedis(urls, timeoutMs),
  }
}

function onPostgres(url: string, traced: Traced): Engine {
  const connected = (pool: ReturnType<typeof workerPool>): Connection => ({
    options: { connection: asConnection(pool), prefix: PREFIX, skipVersionCheck: false, ...traced },
    disconnect: () => void pool.end().catch(() => undefined),
  })
  return {
    kind: 'postgres',
    backend: postgresBackend,
    connectQueue: () => connected(producerPool(url)),
    connectWorker: () => connected(workerPool(url)),
    ask: (timeoutMs) => askPostgres(url, timeoutMs),
  }
}
