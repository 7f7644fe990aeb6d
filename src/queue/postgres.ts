import { type ConnectionOptions, createPostgresBackend, type createRedisBackend } from 'bullmq'
import pg from 'pg'
import { END_ABANDONED, SESSION } from '../db/client.ts'
import { endLostConnections } from '../db/lost-connections.ts'

/** Opens the pool of Queues: a statement that takes longer than `patienceMs` fails. */
export function producerPool(url: string, patienceMs: number): pg.Pool {
  return openPool(url, { max: 3, query_timeout: patienceMs, connectionTimeoutMillis: patienceMs })
}

/**
 * Opens the pool of one Worker, one of whose connections listens for jobs. It is patient with a busy server, and ends
 * connections that were lost.
 */
export function workerPool(url: string): pg.Pool {
  const pool = openPool(url, { max: 4, query_timeout: 3_000, connectionTimeoutMillis: 2_000 })
  endLostConnections(pool, url, () => undefined)
  return pool
}

/**
 * BullMQ could open the pool itself, but does not listen for errors of a connection in use: a server that hung up while
 * an object was being built ended the process.
 */
function openPool(url: string, limits: pg.PoolConfig): pg.Pool {
  const search = { options: `-c search_path=bullmq ${SESSION} ${END_ABANDONED}` }
  const pool = new pg.Pool({ connectionString: url, keepAlive: true, ...search, ...limits })
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
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
