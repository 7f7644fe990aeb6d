import type { Db } from '../src/db/client.ts'
import { createEventClient } from '../src/event-push/post-event.ts'
import { answerCanary } from '../src/heartbeats/answer-canary.ts'
import type { Lifetime } from '../src/lifetime.ts'
import type { Logger } from '../src/logger.ts'
import type { Metrics } from '../src/metrics.ts'
import type { AccessTokens } from '../src/outbound/access-tokens.ts'
import type { SendParts } from '../src/outbound/send.ts'
import type { Engine } from '../src/queue/connection.ts'
import type { QueueName } from '../src/queue/names.ts'
import type { Producer } from '../src/queue/producer.ts'
import { keepSchedules, SCHEDULES } from '../src/queue/schedules.ts'
import type { QueueWorker } from '../src/queue/worker.ts'
import type { Tracing } from '../src/tracing/tracing.ts'
import type { ProcessDatabase } from './database.ts'
import { startDeliveries } from './deliveries/start.ts'
import { startMaintenance } from './maintenance.ts'
import { startSending } from './sending/start.ts'
import { startWebhooks } from './webhooks/start.ts'
import { createYielding, type Yielding } from './webhooks/yielding.ts'

type Parts = {
  engine: Engine
  database: ProcessDatabase
  directUrl: string
  db: Db
  producer: Producer
  metrics: Metrics
  tracing: Tracing
  log: Logger
  lifetime: Lifetime
  concurrency: number
  eventRetentionDays: number
  secretsKey: Buffer | undefined
  allowPrivateWebhooks: boolean
  announceEvents: (orgIds: string[]) => void
  tokens: AccessTokens
} & SendParts

const CLOSE_MS = 5_000
const WEBHOOK_CONNECTIONS = 4

/**
 * Starts one worker for each queue; any number of processes may do so. From the first `resume` on, this process also
 * keeps the schedules. A pause stops both.
 */
export function startWorkers(parts: Parts): Pick<QueueWorker, 'pause' | 'resume'> {
  const { db, producer, log, lifetime } = parts
  const onCanary = (queue: QueueName) => answerCanary(db, queue)
  const yielding = createYielding()
  const deliveries = startDeliveries({ ...parts, onCanary, yielding })
  lifetime.onStop('deliveries worker', () => deliveries.close(CLOSE_MS))
  const maintenance = startMaintenance({ ...parts, onCanary })
  lifetime.onStop('maintenance worker', () => maintenance.close(CLOSE_MS))
  const outbound = startSending({ ...parts, onCanary })
  lifetime.onStop('outbound worker', () => outbound.close(CLOSE_MS))
  const webhooks = openWebhooks({ ...parts, yielding }, onCanary)
  const workers = [deliveries, maintenance, outbound, webhooks]
  let schedules: { stop(): void } | undefined
  const stopSchedules = () => {
    schedules?.stop()
    schedules = undefined
  }
  lifetime.onStop('schedules', stopSchedules)
  return {
    pause() {
      for (const worker of workers) worker.pause()
      stopSchedules()
    },
    resume() {
      for (const worker of workers) worker.resume()
      schedules ??= keepSchedules(() => producer.queue('maintenance'), SCHEDULES, log)
    },
  }
}

/** Posting has a pool of its own, so that it takes no connection from routing, unless connections are scarce. */
function openWebhooks(
  parts: Parts & { yielding: Yielding },
  onCanary: (queue: QueueName) => Promise<void>,
): QueueWorker {
  const { isScarce, openPool } = parts.database
  const db = isScarce ? parts.db : openPool('usher-webhooks', WEBHOOK_CONNECTIONS)
  const client = createEventClient({ allowPrivate: parts.allowPrivateWebhooks })
  const webhooks = startWebhooks({ ...parts, db, client, onCanary })
  parts.lifetime.onStop('webhooks worker', () => webhooks.close(CLOSE_MS))
  return webhooks
}
