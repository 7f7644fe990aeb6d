import type { Db } from '../src/db/client.ts'
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
import { startDeliveries } from './deliveries/start.ts'
import { startMaintenance } from './maintenance.ts'
import { startSending } from './sending/start.ts'

type Parts = {
  engine: Engine
  directUrl: string
  db: Db
  producer: Producer
  metrics: Metrics
  tracing: Tracing
  log: Logger
  lifetime: Lifetime
  concurrency: number
  eventRetentionDays: number
  tokens: AccessTokens
} & SendParts

const CLOSE_MS = 5_000

/**
 * Starts one worker for each queue; any number of processes may do so. From the first `resume` on, this process also
 * keeps the schedules. A pause stops both.
 */
export function startWorkers(parts: Parts): Pick<QueueWorker, 'pause' | 'resume'> {
  const { db, producer, log, lifetime } = parts
  const onCanary = (queue: QueueName) => answerCanary(db, queue)
  const deliveries = startDeliveries({ ...parts, onCanary })
  lifetime.onStop('deliveries worker', () => deliveries.close(CLOSE_MS))
  const maintenance = startMaintenance({ ...parts, onCanary })
  lifetime.onStop('maintenance worker', () => maintenance.close(CLOSE_MS))
  const outbound = startSending({ ...parts, onCanary })
  lifetime.onStop('outbound worker', () => outbound.close(CLOSE_MS))
  const workers = [deliveries, maintenance, outbound]
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
