import { type ConnectionOptions, createRedisBackend, type Telemetry } from 'bullmq'
import { within } from '../deadline.ts'
import { asConnection, pingPostgres, postgresBackend, producerPool, workerPool } from './postgres.ts'
import { PREFIX, pingRedis, producerClient, workerClient } from './redis.ts'

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
    prefix: string
    skipVersionCheck: boolean
    telemetry?: Telemetry
  }
  disconnect(): void
}

const PING_MS = 1_000

/**
 * Chooses BullMQ's store: Redis for one URL, Redis Cluster for several, PostgreSQL for none (in the schema `bullmq`, which
 * must be migrated). With `telemetry`, jobs carry their trace on. Opens no connection yet and never throws.
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

function onRedis(urls: string[], traced: Traced): Engine {
  const connected = (client: ReturnType<typeof workerClient>, skipVersionCheck: boolean): Connection => ({
    options: { connection: client, prefix: PREFIX, skipVersionCheck, ...traced },
    disconnect: () => client.disconnect(),
  })
  return {
    kind: 'redis',
    backend: createRedisBackend,
    connectQueue: (patienceMs) => connected(producerClient(urls, patienceMs), true),
    connectWorker: () => connected(workerClient(urls), false),
    ping: (timeoutMs) => pingRedis(urls, timeoutMs),
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
    connectQueue: (patienceMs) => connected(producerPool(url, patienceMs)),
    connectWorker: () => connected(workerPool(url)),
    ping: (timeoutMs) => pingPostgres(url, timeoutMs),
  }
}
