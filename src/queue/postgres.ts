import { type ConnectionOptions, createPostgresBackend, type createRedisBackend } from 'bullmq'
import pg from 'pg'
import { limitWaiting } from '../db/limit-waiting.ts'
import { endLostConnections } from '../db/lost-connections.ts'
import { END_ABANDONED, SAME_SESSION, sendOneByOne } from '../db/settings.ts'

/** Opens the pool of Queues, of at most `max` connections: a statement that takes longer than `patienceMs` fails. */
export function producerPool(url: string, patienceMs: number, max: number): pg.Pool {
  return openPool(url, { max, query_timeout: patienceMs }, patienceMs)
}

/**
 * Opens the pool of one Worker, of at most `max` connections, one of which listens for jobs. It is patient with a busy
 * server, and ends connections that were lost.
 */
export function workerPool(url: string, max: number): pg.Pool {
  const pool = openPool(url, { max, query_timeout: 3_000 }, 2_000)
  endLostConnections(pool, url, () => undefined)
  return pool
}

/**
 * BullMQ could open the pool itself, but does not listen for errors of a connection in use: a server that hung up while
 * an object was being built ended the process. And it names its schema in a startup parameter, which poolers refuse.
 * A connection may take longer than the `waitMs` of its caller: five queues that gave theirs up and tried again, in each of
 * several processes, kept a server that was slow to accept connections from serving anybody.
 */
function openPool(url: string, limits: pg.PoolConfig, waitMs: number): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, keepAlive: true, ...limits })
  limitWaiting(pool, waitMs)
  pool.on('error', () => undefined)
  pool.on('connect', (client) => {
    client.on('error', () => undefined)
    sendOneByOne(client)
    // Sent before any other statement; a connection on which it fails fails the next one too.
    client.query(`set search_path = bullmq; ${SAME_SESSION}; ${END_ABANDONED}`).catch(() => undefined)
  })
  return pool
}

/**
 * BullMQ's PostgreSQL backend and its connection, typed as those of Redis: the type of the backend is a part of the type
 * of every Queue and Worker, and Usher uses nothing that only one of the backends has.
 */
export const postgresBackend = createPostgresBackend as unknown as typeof createRedisBackend
export const asConnection = (pool: pg.Pool) => pool as unknown as ConnectionOptions

/**
 * Runs one statement over a connection of its own.
 * @throws what PostgreSQL or the network says.
 */
export async function pingPostgres(url: string, timeout: number): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: timeout,
    query_timeout: timeout,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select 1')
  } finally {
    client.end().catch(() => undefined)
  }
}
