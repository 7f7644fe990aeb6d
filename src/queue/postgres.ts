import { createPostgresBackend, type createRedisBackend } from 'bullmq'
import pg from 'pg'

/** Pool of a producer: what is not done in 500 ms fails. */
export function producerPool(url: string) {
  return { ...pool(url), query_timeout: 500, connectionTimeoutMillis: 500 }
}

/** Pool of a worker: patient with a busy server, yet done with a connection that went silent. */
export function workerPool(url: string) {
  return { ...pool(url), query_timeout: 5_000, connectionTimeoutMillis: 3_000 }
}

function pool(url: string) {
  return { connectionString: url, schema: 'bullmq', migrate: false, max: 3, keepAlive: true }
}

/**
 * BullMQ's PostgreSQL backend. It is typed as the Redis one, since BullMQ puts the backend's type into that of
 * every Queue and Worker; Usher uses nothing that only one of them has.
 */
export const postgresBackend = createPostgresBackend as unknown as typeof createRedisBackend

/**
 * Runs one statement on a connection of its own.
 * @throws what PostgreSQL or the network says.
 */
export async function askPostgres(url: string, timeout: number): Promise<void> {
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
