import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Logger } from '../logger.ts'
import { MAY_FLUSH } from './durable.ts'
import { REPLICATION, type Replication } from './replication.ts'

const RETRY_MS = 2_000

/**
 * Logs, once the database answers, what its settings and the rights of the role take from Usher's promises
 * (docs/reliability.md). It asks over a connection without Usher's own settings. Never rejects.
 */
export async function adviseWhenReachable(url: string, log: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      for (const advice of await readAdvice(url)) log.warn(advice)
      return
    } catch {
      // That the database is away is reported by others.
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined)
    }
  }
}

/**
 * What the settings of the database and the rights of the role take from Usher's promises, one sentence each.
 * @throws what PostgreSQL or the network says.
 */
export async function readAdvice(url: string): Promise<string[]> {
  return adviceOn(await readSettings(url))
}

type Settings = { commit: string; fsync: string; mayFlush: boolean | null; replication: Replication }

function adviceOn({ commit, fsync, mayFlush, replication }: Settings): string[] {
  const advice: string[] = []
  if (fsync === 'off')
    advice.push('fsync is off: a crash of the machine loses deliveries that were answered with 200')
  if (commit === 'off')
    advice.push(
      'synchronous_commit is off for this database or role: Usher sets it on for its own connections; other programs lose their last commits in a crash',
    )
  if (mayFlush !== true)
    advice.push(
      'the role may not execute pg_logical_emit_message(boolean, text, text): single deliveries are stored like batches, and answers of the API can take 0.6 s longer',
    )
  if (replication === 'asynchronous')
    advice.push(
      'standbys follow this database asynchronously: a failover loses what they lacked, deliveries that were answered with 200 included, and may send a message twice; set synchronous_standby_names',
    )
  return advice
}

async function readSettings(url: string): Promise<Settings> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'usher-advice',
    connectionTimeoutMillis: 2_000,
    query_timeout: 2_000,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<Settings>(
      `select current_setting('synchronous_commit') as commit, current_setting('fsync') as fsync,
        (${MAY_FLUSH}) as "mayFlush", ${REPLICATION} as replication`,
    )
    const [settings] = rows
    if (!settings) throw new Error('the database gave no settings')
    return settings
  } finally {
    client.end().catch(() => undefined)
  }
}
