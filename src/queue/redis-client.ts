import type { ConnectionOptions } from 'node:tls'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import type { RedisAccess } from '../config.ts'

export type Client = Redis | Cluster

export type ClientOptions = Pick<
  RedisOptions,
  'commandTimeout' | 'connectTimeout' | 'enableOfflineQueue' | 'lazyConnect' | 'maxRetriesPerRequest'
> & { retryStrategy: (times: number) => number | null }

/** What a Redis answers that is no primary any more, or not yet. The next connection may lead to the primary. */
const NO_PRIMARY = /\b(READONLY|LOADING|MASTERDOWN|UNBLOCKED)\b/

/**
 * Usher needs neither INFO nor CLIENT, which the user of a managed Redis often may not use: ioredis asks INFO whether
 * Redis is loading its data, and a command that is refused for that reason opens a new connection instead.
 */
const MODEST = {
  enableReadyCheck: false,
  disableClientInfo: true,
  reconnectOnError: (error: Error) => NO_PRIMARY.test(error.message),
}

/** Opens a client to the primary, by whatever way the URLs lead to it. */
export function openClient(access: RedisAccess, options: ClientOptions): Client {
  const client = createClient(access, options)
  client.on('error', ignored)
  return client
}

function createClient(access: RedisAccess, options: ClientOptions): Client {
  const { urls } = access
  const [first = ''] = urls
  if (first.includes('+sentinel:')) return bySentinels(access, options)
  return urls.length === 1
    ? new Redis(first, { ...MODEST, ...options, ...tlsOf(access) })
    : ofCluster(access, options)
}

/** The credentials and TLS of the first URL are used for all nodes, since the cluster announces nodes without them. */
function ofCluster(access: RedisAccess, options: ClientOptions): Cluster {
  const { urls } = access
  const { retryStrategy, enableOfflineQueue = true, lazyConnect = false, ...node } = options
  return new Cluster(urls, {
    clusterRetryStrategy: retryStrategy,
    enableOfflineQueue,
    lazyConnect,
    redisOptions: { ...MODEST, ...node, ...loginOf(urls), ...tlsOf(access) },
  })
}

/** User and password of the first URL are those of the primary; the Sentinels have a password of their own. */
function bySentinels(access: RedisAccess, options: ClientOptions): Redis {
  const { urls, sentinelPassword } = access
  const { pathname, searchParams } = new URL(urls[0] ?? '')
  const sentinels = urls.map((url) => {
    const { hostname, port } = new URL(url)
    return { host: hostname, port: Number(port || 26_379) }
  })
  const own = tlsOf(access)
  const tls = own && { ...own, sentinelTLS: own.tls, enableTLSForSentinelMode: true }
  return new Redis({
    ...MODEST,
    ...options,
    ...loginOf(urls),
    ...tls,
    sentinels,
    name: pathname.slice(1),
    db: Number(searchParams.get('db') ?? 0),
    sentinelRetryStrategy: options.retryStrategy,
    ...(sentinelPassword !== undefined && { sentinelPassword }),
  })
}

/** The primary, each node and the Sentinels have certificates of the same authority. */
function tlsOf({ urls, tls = {} }: RedisAccess): { tls: ConnectionOptions } | undefined {
  return urls[0]?.startsWith('rediss') ? { tls } : undefined
}

function loginOf(urls: string[]): { username?: string; password?: string } {
  const { username, password } = new URL(urls[0] ?? '')
  return {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
  }
}

/** BullMQ's objects report the errors of their client; without any listener, ioredis would print them as well. */
function ignored(): void {}
