import { collectDefaultMetrics, Registry } from 'prom-client'
import { createApiMetrics } from './metrics/api.ts'
import {
  createBacklogGauges,
  createEventLogGauges,
  createHeartbeatGauges,
  createLedgerGauges,
} from './metrics/gauges.ts'
import { createReceiverMetrics } from './metrics/receiver.ts'
import { createRoutingMetrics } from './metrics/routing.ts'
import { createSendingMetrics } from './metrics/sending.ts'
import { createWebhookMetrics } from './metrics/webhooks.ts'

export type Metrics = ReturnType<typeof createMetrics>

/**
 * All metrics of one process, in a registry of its own, together with Node's default ones (`process_*`, `nodejs_*`).
 * Usher's names begin with `usher_`. A label's value comes from a short fixed list; it is never an id, a phone number
 * or a text.
 * @param process a label of Node's metrics, where the metrics of two processes are shown together
 */
export function createMetrics(process?: 'server' | 'workers') {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, ...(process && { labels: { process } }) })
  const registers = [registry]
  return {
    registry,
    ...createReceiverMetrics(registers),
    ...createApiMetrics(registers),
    ...createRoutingMetrics(registers),
    ...createSendingMetrics(registers),
    ...createWebhookMetrics(registers),
    ...createBacklogGauges(registers),
    ...createHeartbeatGauges(registers),
    ...createEventLogGauges(registers),
    ...createLedgerGauges(registers),
  }
}
