import { Cluster, Redis, type RedisOptions } from 'ioredis'

type Client = Redis | Cluster
type ClientOptions = Pick<
  RedisOptions,
  'commandTimeout' | 'connectTimeout' | 'enableOfflineQueue' | 'lazyConnect' | 'maxRetriesPerRequest'
> & { retryStrategy: (times: number) => number | null }

/** In braces, so that the keys of all queues share one slot of a Redis Cluster, as BullMQ's scripts require. */
export const PREFIX = '{usher}'

/** Creates a client whose commands fail at once while Redis is away, and after `patienceMs` while Redis is frozen. */
export function producerClient(urls: string[], patienceMs: number): Client {
  return connect(urls, { enableOfflineQueue: false, commandTimeout: patienceMs, retryStrategy: () => 500 })
}

/** Creates a client whose commands wait for as long as Redis is away, and that reconnects within a second. */
export function workerClient(urls: string[]): Client {
  return connect(urls, { maxRetriesPerRequest: null, retryStrategy: (times) => Math.min(100 * times, 1_000) })
}

/**
 * Reads a key from the slot that holds the queues, over a connection of its own.
 * @throws what Redis or the network says.
 */
export async function pingRedis(urls: string[], connectTimeout: number): Promise<void> {
  await connectBriefly(urls, connectTimeout, (client) => client.exists(PREFIX))
}

/**
 * Runs `work` over a connection of its own, which ends after `timeoutMs` at the latest.
 * @throws what Redis or the network says.
 */
export async function connectBriefly<T>(
  urls: string[],
  timeoutMs: number,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = connect(urls, { lazyConnect: true, connectTimeout: timeoutMs, retryStrategy: () => null })
  let cause: Error | undefined
  client.on('error', (error) => {
    cause = error
  })
  const giveUp = setTimeout(() => client.disconnect(), timeoutMs)
  try {
    await client.connect()
    return await work(client)
  } catch (error) {
    throw cause ?? error
  } finally {
    clearTimeout(giveUp)
    client.disconnect()
  }
}

function connect(urls: string[], options: ClientOptions): Client {
  const client = urls.length === 1 ? new Redis(urls[0] ?? '', options) : connectCluster(urls, options)
  client.on('error', ignored)
  return client
}

/** The credentials and TLS of the first URL are used for all nodes, since the cluster announces nodes without them. */
function connectCluster(urls: string[], options: ClientOptions): Cluster {
  const { retryStrategy, enableOfflineQueue = true, lazyConnect = false, ...node } = options
  const { protocol, username, password } = new URL(urls[0] ?? '')
  return new Cluster(urls, {
    clusterRetryStrategy: retryStrategy,
    enableOfflineQueue,
    lazyConnect,
    redisOptions: {
      ...node,
      ...(username && { username: decodeURIComponent(username) }),
      ...(password && { password: decodeURIComponent(password) }),
      ...(protocol === 'rediss:' && { tls: {} }),
    },
  })
}

/** BullMQ's objects report the errors of their client; without any listener, ioredis would print them as well. */
function ignored(): void {}
