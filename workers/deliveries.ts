import type { Db } from '../src/db/client.ts'
import { mayTrySuspect } from '../src/inbox/stranded.ts'
import type { Logger } from '../src/logger.ts'
import type { Metrics } from '../src/metrics.ts'
import type { Engine } from '../src/queue/connection.ts'
import type { QueueName } from '../src/queue/names.ts'
import type { Producer } from '../src/queue/producer.ts'
import { createWorker, type QueueWorker } from '../src/queue/worker.ts'
import { type Routed, routeBatch } from '../src/routing/route-batch.ts'
import type { Traced } from '../src/tracing/tracing.ts'

type Parts = {
  engine: Engine
  onCanary: (queue: QueueName) => Promise<void>
  db: Db
  producer: Producer
  metrics: Metrics
  traced: Traced
  log: Logger
  concurrency: number
}

/** Works on the queue `deliveries`: routes each job's inbox rows as one batch. */
export function startDeliveries(parts: Parts): QueueWorker {
  const { engine, onCanary, db, producer, metrics, traced, log, concurrency } = parts
  return createWorker({
    engine,
    name: 'deliveries',
    onCanary,
    concurrency,
    log,
    process: async (job) => {
      const { ids, suspect } = job.data
      const [first] = ids
      if (suspect && first !== undefined && !(await mayTrySuspect(db, first))) {
        log.error({ delivery: first }, 'a delivery never finished and is a dead letter now')
        metrics.dead.inc()
        return
      }
      const poison = (err: unknown, delivery: number) =>
        log.error({ err, delivery, job: job.id }, 'an item could not be routed')
      const routed = await traced('route deliveries', { 'usher.delivery_ids': ids }, () =>
        routeBatch(db, ids, poison),
      )
      // Not awaited: the inbound path never waits for sending.
      if (routed.replies.length > 0) void producer.enqueueOutbound(routed.replies)
      count(routed, metrics, log)
      log.debug({ deliveries: ids, job: job.id }, 'deliveries worked on')
    },
  })
}

function count({ messages, outcomes }: Routed, metrics: Metrics, log: Logger): void {
  const now = Date.now()
  metrics.routingBatch.observe(messages.length)
  for (const { route, message } of messages) {
    metrics.routed.inc({ route: route ?? 'none' })
    metrics.routingSeconds.observe(Math.max(0, now - message.receivedAt.getTime()) / 1000)
  }
  for (const outcome of outcomes) {
    if (outcome.end === 'parked') {
      metrics.parked.inc()
      log.warn({ delivery: outcome.id, waitsFor: outcome.waitsFor }, 'a delivery waits to be provisioned')
    }
    if (outcome.end === 'dead') {
      metrics.dead.inc()
      log.error({ delivery: outcome.id, problems: outcome.problems.length }, 'a delivery is a dead letter')
    }
  }
}
