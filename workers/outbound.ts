import type { Logger } from '../src/logger.ts'
import type { Metrics } from '../src/metrics.ts'
import type { Graph } from '../src/outbound/graph.ts'
import { type SendParts, sendMessage } from '../src/outbound/send.ts'
import type { Engine } from '../src/queue/connection.ts'
import type { QueueName } from '../src/queue/names.ts'
import type { Producer } from '../src/queue/producer.ts'
import { createWorker, type QueueWorker } from '../src/queue/worker.ts'
import type { Tracing } from '../src/tracing/tracing.ts'

type Parts = SendParts & {
  engine: Engine
  onCanary: (queue: QueueName) => Promise<void>
  producer: Producer
  metrics: Metrics
  tracing: Tracing
  log: Logger
}

/** Sends in progress at the same time in one process. Each waits for the Graph API for at most 10 s. */
const CONCURRENCY = 20

/** Starts the worker of the queue `outbound`: one job sends one outbox row, and enqueues it again for a retry. */
export function startOutbound(parts: Parts): QueueWorker {
  const { engine, onCanary, producer, metrics, tracing, log } = parts
  const graph: Graph = {
    send: (...args) => tracing.traced('Graph send', {}, () => parts.graph.send(...args)),
  }
  return createWorker({
    engine,
    name: 'outbound',
    onCanary,
    concurrency: CONCURRENCY,
    log,
    process: async ({ data: row }) => {
      const { outcome, retryInMs, refused } = await sendMessage({ ...parts, graph }, row)
      metrics.sends.inc({ outcome })
      if (outcome === 'number_refused')
        log.error(
          { org: row.org, send: row.id, ...refused },
          'a number may not send: its sends wait until it is provisioned again',
        )
      else if (outcome === 'failed' || outcome === 'unknown')
        log.warn({ org: row.org, send: row.id, outcome }, 'a message was not sent, or its outcome is unknown')
      if (retryInMs !== null) await producer.enqueueOutbound([row], retryInMs)
    },
  })
}
