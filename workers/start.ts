import type { Db } from '../src/db/client.ts'
import { answerCanary } from '../src/heartbeats/answer-canary.ts'
import type { Lifetime } from '../src/lifetime.ts'
import type { Logger } from '../src/logger.ts'
import type { Metrics } from '../src/metrics.ts'
import type { SendParts } from '../src/outbound/send.ts'
import type { Engine } from '../src/queue/connection.ts'
import type { QueueName } from '../src/queue/names.ts'
import type { Producer } from '../src/queue/producer.ts'
import { keepSchedules, SCHEDULES } from '../src/queue/schedules.ts'
import { startDeliveries } from './deliveries.ts'
import { startMaintenance } from './maintenance.ts'
import { startOutbound } from './outbound.ts'

type Parts = {
  engine: Engine
  db: Db
  producer: Producer
  metrics: Metrics
  log: Logger
  lifetime: Lifetime
  concurrency: number
} & SendParts

const CLOSE_MS = 5_000

/** Starts one worker a queue and keeps the schedules; any number of processes may do so. */
export function startWorkers(parts: Parts): void {
  const { db, producer, log, lifetime } = parts
  const onCanary = (queue: QueueName) => answerCanary(db, queue)
  const deliveries = startDeliveries({ ...parts, onCanary })
  lifetime.onStop('deliveries worker', () => deliveries.close(CLOSE_MS))
  const maintenance = startMaintenance({ ...parts, onCanary })
  lifetime.onStop('maintenance worker', () => maintenance.close(CLOSE_MS))
  const outbound = startOutbound({ ...parts, onCanary })
  lifetime.onStop('outbound worker', () => outbound.close(CLOSE_MS))
  const schedules = keepSchedules(() => producer.queue('maintenance'), SCHEDULES, log)
  lifetime.onStop('schedules', () => schedules.stop())
}
