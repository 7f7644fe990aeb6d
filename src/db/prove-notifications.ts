import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { SetupError } from '../config.ts'
import { succeeds } from '../deadline.ts'
import type { DatabaseAccess } from './url.ts'

const CHANNEL = 'usher_proof'
const ARRIVES_MS = 3_000

/**
 * Proves that a notification which is sent over `url` reaches a connection that listens at `directUrl`.
 * @param ms for connecting, and for each statement
 * @throws SetupError when it does not; what PostgreSQL or the network says when it cannot be asked.
 */
export async function proveNotifications(
  { url, directUrl }: Pick<DatabaseAccess, 'url' | 'directUrl'>,
  ms: number,
): Promise<void> {
  const [listener, sender] = [open(directUrl, ms), open(url, ms)]
  try {
    await Promise.all([listener.connect(), sender.connect()])
    const word = randomUUID()
    const arrived = new Promise<void>((resolve) => {
      listener.on('notification', ({ payload }) => payload === word && resolve())
    })
    await listener.query(`listen ${CHANNEL}`)
    await sender.query('select pg_notify($1, $2)', [CHANNEL, word])
    if (!(await succeeds(ARRIVES_MS, () => arrived)))
      throw new SetupError(
        'Notifications (NOTIFY) do not arrive: set DATABASE_DIRECT_URL to the address of PostgreSQL itself, in the same database as DATABASE_URL',
      )
  } finally {
    for (const client of [listener, sender]) client.end().catch(() => undefined)
  }
}

function open(url: string, ms: number): pg.Client {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'usher-proof',
    connectionTimeoutMillis: ms,
    query_timeout: ms,
  })
  client.on('error', () => undefined)
  return client
}
