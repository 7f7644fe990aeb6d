import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** How a request to an endpoint may end: the only values of the label `outcome`. */
export const WEBHOOK_OUTCOMES = ['delivered', 'rejected', 'failed', 'gone'] as const

const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15]
const LAG_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3_600, 86_400]

/** Metrics of posting events to the endpoints of orgs. */
export function createWebhookMetrics(registers: Registry[]) {
  const attempts = new Counter({
    name: 'usher_webhook_attempts_total',
    help: 'Requests to the endpoints of orgs, by outcome',
    labelNames: ['outcome'],
    registers,
  })
  // A series that starts at 0 lets Prometheus see the first increase.
  for (const outcome of WEBHOOK_OUTCOMES) attempts.inc({ outcome }, 0)
  return {
    webhookAttempts: attempts,
    webhookSeconds: new Histogram({
      name: 'usher_webhook_request_seconds',
      help: 'Time from a request to an endpoint to its answer, or to its end without one',
      buckets: REQUEST_SECONDS,
      registers,
    }),
    webhookLag: new Histogram({
      name: 'usher_webhook_lag_seconds',
      help: 'Time from an event to the answer of the endpoint that took it',
      buckets: LAG_SECONDS,
      registers,
    }),
    webhooksDisabled: new Gauge({
      name: 'usher_webhook_endpoints_disabled',
      help: 'Endpoints that were disabled because they failed for three days, or answered 410',
      registers,
    }),
    webhooksFailing: new Gauge({
      name: 'usher_webhook_endpoints_failing',
      help: 'Endpoints that have not answered as they should since a request failed',
      registers,
    }),
  }
}
