import { Counter, Histogram, type Registry } from 'prom-client'
import { BATCH_SIZES } from './buckets.ts'

/** Why the receiver refused a webhook request: the only values of the label `reason`. */
export const WEBHOOK_REFUSALS = [
  'signature',
  'too_large',
  'method',
  'encoding',
  'handshake',
  'store',
  'full',
] as const
export type WebhookRefusal = (typeof WEBHOOK_REFUSALS)[number]

/** Meta asks for a median of 250 ms and for less than 1 % above 1 s; both are therefore bucket bounds. */
const ANSWER_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10]

/** Metrics of the receiver: what it stored, what it refused, and how fast it answered. */
export function createReceiverMetrics(registers: Registry[]) {
  const refused = new Counter({
    name: 'usher_webhook_refused_total',
    help: 'Webhook requests that were not answered with 200, by reason',
    labelNames: ['reason'],
    registers,
  })
  // A series that starts at 0 lets Prometheus see the first increase.
  for (const reason of WEBHOOK_REFUSALS) refused.inc({ reason }, 0)
  return {
    refused,
    acknowledged: new Counter({
      name: 'usher_deliveries_acknowledged_total',
      help: 'Deliveries stored and answered with 200',
      registers,
    }),
    answerSeconds: new Histogram({
      name: 'usher_webhook_answer_seconds',
      help: 'Time from the head of a webhook request to its answer',
      buckets: ANSWER_SECONDS,
      registers,
    }),
    insertBatch: new Histogram({
      name: 'usher_inbox_insert_deliveries',
      help: 'Deliveries stored by one insert',
      buckets: BATCH_SIZES,
      registers,
    }),
  }
}
