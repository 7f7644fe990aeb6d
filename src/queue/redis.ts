import { type RedisAccess, SetupError } from '../config.ts'
import { type Client, openClient } from './redis-client.ts'

/** Begins the keys of BullMQ. In braces, so that all share one slot of a Redis Cluster, as BullMQ's scripts require. */
export function keyPrefix({ prefix }: Pick<RedisAccess, 'prefix'>): string {
  return `{${prefix}}`
}

/** Creates a client whose commands fail at once while Redis is away, and after `patienceMs` while Redis is frozen. */
export function producerClient(access: RedisAccess, patienceMs: number): Client {
  return openClient(access, {
    enableOfflineQueue: false,
    commandTimeout: patienceMs,
    retryStrategy: () => 500,
  })
}

/** Creates a client whose commands wait for as long as Redis is away, and that reconnects within a second. */
export function workerClient(access: RedisAccess): Client {
  const retryStrategy = (times: number) => Math.min(100 * times, 1_000)
  return openClient(access, { maxRetriesPerRequest: null, retryStrategy })
}

/** How long the key that `pingRedis` writes stays. */
const PROOF_MS = 60_000

/**
 * Writes a key to the slot that holds the queues, over a connection of its own. Gives whether this user may use INFO,
 * which tells BullMQ what Redis can do.
 * @throws SetupError when Redis answers, but does not let Usher write; else what the network says.
 */
export async function pingRedis(access: RedisAccess, timeoutMs: number): Promise<{ mayReadInfo: boolean }> {
  return connectBriefly(access, timeoutMs, async (client) => {
    await client.set(`${keyPrefix(access)}:proof`, '1', 'PX', PROOF_MS)
    const mayReadInfo = await client.info('server').then(
      () => true,
      () => false,
    )
    return { mayReadInfo }
  })
}

/**
 * Runs `work` over a connection of its own, which ends after `timeoutMs` at the latest.
 * @throws SetupError when Redis answers, but does not let Usher do it; else what Redis or the network says.
 */
export async function connectBriefly<T>(
  access: RedisAccess,
  timeoutMs: number,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = openClient(access, {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    retryStrategy: () => null,
  })
  let cause: Error | undefined
  client.on('error', (error) => {
    cause = error
  })
  const giveUp = setTimeout(() => client.disconnect(), timeoutMs)
  try {
    await client.connect()
    return await work(client)
  } catch (error) {
    throw explain(cause ?? error)
  } finally {
    clearTimeout(giveUp)
    client.disconnect()
  }
}

/** What Redis answers to those that it does not let write, and what to do. */
const REFUSALS: readonly [pattern: RegExp, advice: string][] = [
  [
    /WRONGPASS|NOAUTH|invalid password/,
    'Redis refuses the user or the password of REDIS_URL: correct the URL',
  ],
  [/NOPERM/, 'The Redis user of REDIS_URL lacks rights: give it those that docs/operate.md lists'],
  [/READONLY/, 'REDIS_URL leads to a replica: it must lead to the primary, or name the Sentinels'],
  [
    /certificate|altnames/i,
    'The certificate of Redis is not accepted, or Redis does not accept that of Usher: set REDIS_TLS_CA, or REDIS_TLS_CERT and REDIS_TLS_KEY, or correct the host name in REDIS_URL',
  ],
  [/OOM/, 'Redis is out of memory: raise its maxmemory, with the policy noeviction'],
]

function explain(error: unknown): unknown {
  const { message } = error as Error
  const advice = REFUSALS.find(([pattern]) => pattern.test(message))?.[1]
  return advice === undefined ? error : new SetupError(advice, { cause: error })
}
