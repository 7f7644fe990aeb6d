import type pg from 'pg'

/**
 * How long the making of a connection may take, in ms. At first longer than callers wait: on an overloaded server, a
 * connection that was given up each time would never be made. After a time-out the next one gets twice the time.
 */
const FIRST_CONNECT_MS = 4_000
const LONGEST_CONNECT_MS = 16_000
const CONNECT_TIMEOUT = /due to connection timeout|timeout expired/

/**
 * Makes callers of a pool wait at most `waitMs` for a connection. One that is made later serves the next caller.
 */
export function limitWaiting(pool: pg.Pool, waitMs: number): void {
  const firstMs = Math.max(FIRST_CONNECT_MS, waitMs)
  const allow = (ms: number) => {
    pool.options.connectionTimeoutMillis = ms
  }
  const connect = pool.connect.bind(pool) as () => Promise<pg.PoolClient>
  const connectInTime = () => {
    const { connectionTimeoutMillis: limitMs = firstMs } = pool.options
    const made = connect()
    made.catch(({ message }: Error) => {
      if (!CONNECT_TIMEOUT.test(message)) return
      // Several connections that time out at the same time double the limit once.
      const { connectionTimeoutMillis: presentMs = firstMs } = pool.options
      allow(Math.max(presentMs, Math.min(LONGEST_CONNECT_MS, 2 * limitMs)))
    })
    return inTime(made, waitMs)
  }
  allow(firstMs)
  pool.on('connect', () => allow(firstMs))
  const connectOr = (callback?: Callback) => {
    const client = connectInTime()
    return callback ? void pass(client, callback) : client
  }
  pool.connect = connectOr as typeof pool.connect
}

type Callback = (error: Error | undefined, client: pg.PoolClient | undefined, release: () => void) => void

function pass(client: Promise<pg.PoolClient>, callback: Callback): void {
  client.then(
    (one) => callback(undefined, one, one.release),
    (error) => callback(error, undefined, () => undefined),
  )
}

/** @throws Error when the connection takes longer; it goes to the pool when it is made. */
function inTime(made: Promise<pg.PoolClient>, waitMs: number): Promise<pg.PoolClient> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const release = (client: pg.PoolClient) => client.release()
      made.then(release, () => undefined)
      reject(new Error('timeout exceeded when trying to connect'))
    }, waitMs)
    made.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
