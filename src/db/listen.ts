import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { LEFT_BEHIND } from './client.ts'

export type Listener = {
  /** Hears from soon on, also after its connection was lost; open twice is open. */
  open(): void
  /** Hears no more; resolves when what was heard is done with. Never rejects. */
  close(): Promise<void>
}

const RETRY_MS = 1_000
const LOOK_MS = 2_000
const LIMITS = { connectionTimeoutMillis: 2_000, query_timeout: 2_000, keepAlive: true }

/**
 * Hears a channel of `NOTIFY` over a connection of its own. Whatever is sent while that is away, or is silent (for 4 s at
 * most), is not heard: only hints may go this way.
 * @param onPayload must not reject
 */
export function createListener(
  url: string,
  channel: string,
  onPayload: (payload: string) => Promise<void>,
): Listener {
  const running = new Set<Promise<void>>()
  let ended: AbortController | undefined

  const hear = (payload: string) => {
    const work = onPayload(payload).finally(() => running.delete(work))
    running.add(work)
  }
  const live = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      await hearUntilLost({ url, channel, signal, hear }).catch(ignored)
      await sleep(RETRY_MS, undefined, { signal }).catch(ignored)
    }
  }
  return {
    open() {
      if (ended) return
      ended = new AbortController()
      void live(ended.signal)
    },
    async close() {
      ended?.abort()
      ended = undefined
      await Promise.all(running)
    },
  }
}

type Hearing = { url: string; channel: string; signal: AbortSignal; hear: (payload: string) => void }

async function hearUntilLost({ url, channel, signal, hear }: Hearing): Promise<never> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'usher-listener',
    options: LEFT_BEHIND,
    ...LIMITS,
  })
  const lost = new AbortController()
  client.on('error', ignored)
  client.on('end', () => lost.abort())
  client.on('notification', ({ payload = '' }) => {
    if (!signal.aborted) hear(payload)
  })
  try {
    await client.connect()
    await client.query(`listen ${client.escapeIdentifier(channel)}`)
    for (const ends = AbortSignal.any([signal, lost.signal]); ; ) {
      await sleep(LOOK_MS, undefined, { signal: ends })
      await client.query('select 1')
    }
  } finally {
    client.end().catch(ignored)
  }
}

function ignored(): void {}
