import express, { Router } from 'express'
import { pino } from 'pino'
import { afterAll, beforeEach } from 'vitest'
import type { Database } from '../../src/db/client.ts'
import { createApiApp } from '../../src/http/app.ts'
import { startServer } from '../../src/http/server.ts'
import { sign } from '../../src/http/signature.ts'
import { createInboxWriter } from '../../src/inbox/save.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createReceiver } from '../../src/receiver/receive.ts'
import { createRefusalReport } from '../../src/receiver/refusals.ts'
import { createShortcut, createWebhookRouter, WEBHOOK_PATH } from '../../src/receiver/routes.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'
import { type Reply, type Request, send } from './http.ts'
import { PATIENCE_MS } from './patience.ts'

export const APP_SECRET = 'canary-app-secret'
export const OLD_APP_SECRET = 'canary-old-secret'
export const VERIFY_TOKEN = 'canary+verify/token ü'
export const SECOND_VERIFY_TOKEN = 'the-word-of-another-app'

type Options = {
  /** The pool that the receiver stores with, if not that of the test database. */
  connect?: (database: TestDatabase) => Promise<Database['db']>
  /** How long an insert may take. */
  deadlineMs?: number
}

/**
 * The receiver on a free port until the end of the test file, as Usher mounts it and at `/mounted/hooks` of another app;
 * behind the short cut, unless RECEIVER_SHORTCUT is `off`. The inbox, the recorded inserts and the log are emptied before
 * each test. The queue is down: announcing a delivery fails.
 */
export async function startReceiver({ connect, deadlineMs = PATIENCE_MS }: Options = {}) {
  const database = await createTestDatabase()
  const metrics = createMetrics()
  const state = { inserts: [] as number[][], logged: '' }
  const write = (line: string) => {
    state.logged += line
  }
  const log = pino({}, { write })
  const writer = createInboxWriter({
    db: connect ? await connect(database) : database.db,
    onSaved: (ids) => {
      state.inserts.push(ids)
      throw new Error('the queue is down')
    },
    limits: { deadlineMs, maxWaitingBytes: 8 * 1024 * 1024 },
  })
  const secrets = {
    appSecrets: [APP_SECRET, OLD_APP_SECRET],
    verifyTokens: [VERIFY_TOKEN, SECOND_VERIFY_TOKEN],
  }
  const reportRefusal = createRefusalReport(database.db, log)
  const receiver = createReceiver({ ...secrets, save: writer.save, reportRefusal, metrics, log })
  const router = createWebhookRouter(receiver)
  const inner = express().use('/hooks', router).use('/read', express.json(), router)
  const app = createApiApp({ routers: [Router().use(WEBHOOK_PATH, router).use('/mounted', inner)], log })
  const handler = process.env.RECEIVER_SHORTCUT === 'off' ? app : createShortcut(receiver, app)
  const server = await startServer({ host: '127.0.0.1', port: 0, variable: 'PORT', handler, log })
  afterAll(async () => {
    await server.close(1_000)
    await writer.close()
  })
  beforeEach(async () => {
    await database.pool.query('truncate inbox')
    Object.assign(state, { inserts: [], logged: '' })
  })

  const hook = `${server.url}/webhooks/whatsapp`
  return {
    database,
    metrics,
    url: server.url,
    /** The address of the webhook. */
    hook,
    /** The ids of each insert. */
    inserts: () => state.inserts,
    logged: () => state.logged,
    /** Posts a body to the webhook, signed. */
    post: (body: Buffer, { headers, ...request }: Request = {}): Promise<Reply> =>
      send(hook, { method: 'POST', body, ...request, headers: { ...signed(body), ...headers } }),
    /** The bodies in the inbox, in the order of their ids. */
    stored: async (): Promise<Buffer[]> =>
      (await database.pool.query<{ body: Buffer }>('select body from inbox order by id')).rows.map(
        (r) => r.body,
      ),
    /** How many requests were refused for that reason. */
    refusedFor: async (reason: string): Promise<number> =>
      (await metrics.refused.get()).values.find((v) => v.labels.reason === reason)?.value ?? 0,
  }
}

/** The header that signs a body. */
export const signed = (body: Buffer) => ({ 'x-hub-signature-256': sign(body, APP_SECRET) })

/** Holds the table `inbox` until `work` is done, so that inserts wait. */
export async function whileInboxIsLocked({ pool }: TestDatabase, work: () => Promise<void>): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('begin; lock table inbox in access exclusive mode')
    await work()
  } finally {
    await client.query('rollback')
    client.release()
  }
}
