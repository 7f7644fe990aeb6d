import { pino } from 'pino'
import { beforeEach } from 'vitest'
import { createAdminAuth } from '../../src/http/admin-auth.ts'
import { startServer } from '../../src/http/server.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createOpsApp, type OpsParts } from '../../workers/ops-app.ts'
import { atEndOf } from './at-end.ts'
import type { TestDatabase } from './database.ts'
import { type Reply, type Request, send } from './http.ts'
import { SECRETS_KEY } from './org.ts'

export const LOGIN = { user: 'ops', password: 'canary-ops-password' }

/** An Authorization header. */
export const basicAuth = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

/** Sends a request with the right login. */
export const loggedIn = (url: string, { headers, ...request }: Request = {}): Promise<Reply> =>
  send(url, { ...request, headers: { authorization: basicAuth(LOGIN.user, LOGIN.password), ...headers } })

const NO_KEYS = { secrets: [], jwksUrl: undefined, issuer: undefined, audience: undefined }

/** What the ops listener is made of, with nothing to probe and no queue. */
export const opsParts = (db: OpsParts['db'], parts: Partial<OpsParts> = {}): OpsParts => ({
  probes: [],
  details: async () => ({}),
  ending: new AbortController().signal,
  registry: createMetrics().registry,
  refreshGauges: async () => {},
  queues: () => [],
  boardQueues: async () => [],
  hasRedis: false,
  login: LOGIN,
  logins: undefined,
  readOnly: false,
  authenticateAdmin: createAdminAuth([], NO_KEYS, pino({ level: 'silent' })),
  machineTime: Date.now,
  db,
  enqueue: async () => true,
  installation: { secretsKey: Buffer.from(SECRETS_KEY, 'base64'), allowPrivateWebhooks: true },
  examine: async () => [],
  log: pino({ level: 'silent' }),
  ...parts,
})

/** The ops listener of a test file, whose inbox and jobs are emptied before each test. */
export function opsWithQueue({ db, pool }: TestDatabase) {
  const jobs = { enqueued: [] as number[][] }
  beforeEach(async () => {
    jobs.enqueued = []
    await pool.query('truncate inbox')
  })
  return {
    /** The ids of the deliveries in each job that was enqueued. */
    enqueued: () => jobs.enqueued,
    start: (parts: Partial<OpsParts> = {}) =>
      startOps(db, { enqueue: async (ids) => jobs.enqueued.push(ids) > 0, ...parts }),
  }
}

/** The ops listener on a free port until the end of the test file; gives its URL. */
export async function startOps(db: OpsParts['db'], parts: Partial<OpsParts> = {}): Promise<string> {
  const handler = createOpsApp(opsParts(db, parts))
  const address = { host: '127.0.0.1', port: 0, variable: 'OPS_PORT' as const }
  const server = await startServer({ ...address, handler, log: pino({ level: 'silent' }) })
  atEndOf('file', () => server.close(0))
  return server.url
}
