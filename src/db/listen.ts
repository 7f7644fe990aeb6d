import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { END_ABANDONED } from './settings.ts'

export type Listener = {
  /** Starts listening in the background, and reconnects whenever the connection is lost. Harmless when open already. */
  open(): void
  /** Stops listening. Resolves when the handlers of all notifications received before have ended. Never rejects. */
  close(): Promise<void>
}

const RETRY_MS = 1_000
const PROBE_EVERY_MS = 2_000
const LIMITS = { connectionTimeoutMillis: 2_000, query_timeout: 2_000, keepAlive: true }

/**
 * Creates a listener for the notifications (NOTIFY) of one channel, with a connection of its own. Notifications sent
 * while that connection is away, or has been lost silently for up to 4 s, do not arrive. Nothing may depend on one.
 * @param onPayload must not reject
 */
export function createListener(
  url: string,
  channel: string,
  onPayload: (payload: string) => Promise<void>,
): Listener {
  const running = new Set<Promise<void>>()
  let closed: AbortController | undefined

  const handle = (payload: string) => {
    const work = onPayload(payload).finally(() => running.delete(work))
    running.add(work)
  }
  const listen = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      await listenUntilLost({ url, channel, signal, handle }).catch(ignore)
      await sleep(RETRY_MS, undefined, { signal }).catch(ignore)
    }
  }
  return {
    open() {
      if (closed) return
      closed = new AbortController()
      void listen(closed.signal)
    },
    async close() {
      closed?.abort()
      closed = undefined
      await Promise.all(running)
    },
  }
}

type Subscription = { url: string; channel: string; signal: AbortSignal; handle: (payload: string) => void }

/** @throws when the connection cannot be opened or was lost, or when `signal` was aborted. */
async function listenUntilLost({ url, channel, signal, handle }: Subscription): Promise<never> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'usher-listener',
    ...LIMITS,
  })
  const lost = new AbortController()
  client.on('error', ignore)
  client.on('end', () => lost.abort())
  client.on('notification', ({ payload = '' }) => {
    if (!signal.aborted) handle(payload)
  })
  try {
    await client.connect()
    await client.query(END_ABANDONED)
    await client.query(`listen ${client.escapeIdentifier(channel)}`)
    for (const ended = AbortSignal.any([signal, lost.signal]); ; ) {
      await sleep(PROBE_EVERY_MS, undefined, { signal: ended })
      await client.query('select 1')
    }
  } finally {
    client.end().catch(ignore)
  }
}

function ignore(): void {}
