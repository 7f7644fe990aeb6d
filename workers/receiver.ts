import { Router } from 'express'
import type { Config } from '../src/config.ts'
import type { Database } from '../src/db/client.ts'
import { type RunningServer, startServer } from '../src/http/server.ts'
import { createInboxWriter } from '../src/inbox/save.ts'
import type { Lifetime } from '../src/lifetime.ts'
import type { Logger } from '../src/logger.ts'
import type { Metrics } from '../src/metrics.ts'
import { createAnnouncer } from '../src/queue/announce.ts'
import type { Producer } from '../src/queue/producer.ts'
import { createReceiver } from '../src/receiver/receive.ts'
import { createRefusalReport } from '../src/receiver/refusals.ts'
import { createShortcut, createWebhookRouter, WEBHOOK_PATH } from '../src/receiver/routes.ts'
import type { Tracing } from '../src/tracing/tracing.ts'
import { createApi } from './api.ts'
import type { ProcessDatabase } from './database.ts'

type Parts = {
  config: Config
  db: Database['db']
  producer: Producer
  announceEvents: (orgIds: string[]) => void
  metrics: Metrics
  tracing: Tracing
  log: Logger
  lifetime: Lifetime
}

const CLOSE_MS = 4_000

/**
 * Starts the public listener: an Express app of the receiver and the API. The receiver stores deliveries over connections
 * of its own, so that it never waits for one that workers or API calls are using.
 */
export async function startReceiver(parts: Parts, { openPool }: ProcessDatabase): Promise<RunningServer> {
  const { config, db, producer, announceEvents, metrics, log, lifetime } = parts
  const inbox = openInbox(parts, openPool('usher-receiver', 2))
  const reportRefusal = createRefusalReport(db, log)
  const receiver = createReceiver({ ...config.meta, save: inbox.save, reportRefusal, metrics, log })
  const webhooks = Router().use(WEBHOOK_PATH, createWebhookRouter(receiver))
  const announceSends = () => producer.wakeSenders()
  const onRefused = (limit: string) => metrics.apiRateLimited.inc({ limit })
  const api = createApi({ db, config, announceSends, announceEvents, onRefused, before: [webhooks], log })
  lifetime.onStop('rate limits', () => api.close())
  const handler = config.receiverShortcut ? createShortcut(receiver, api.app) : api.app
  const { ending } = lifetime
  const server = await startServer({ ...config.http, variable: 'PORT', handler, log, ending })
  lifetime.onStop('public listener', () => server.close(CLOSE_MS))
  return server
}

/** The inbox, which enqueues the ids of what it stored. */
function openInbox({ config, producer, metrics, tracing, log, lifetime }: Parts, db: Database['db']) {
  const announcer = createAnnouncer(producer.enqueueDeliveries)
  lifetime.onStop('announcer', announcer.close)
  const inbox = createInboxWriter({
    db,
    limits: { maxWaitingBytes: config.maxWaitingBytes },
    tracing,
    onSaved: (ids) => {
      metrics.insertBatch.observe(ids.length)
      log.debug({ deliveries: ids }, 'deliveries stored')
      announcer.announce(ids)
    },
  })
  lifetime.onStop('inbox', () => inbox.close())
  return inbox
}
