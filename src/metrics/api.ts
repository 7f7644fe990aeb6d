import { Counter, type Registry } from 'prom-client'

/** The limits of the API: the only values of the label `limit`. */
export const API_LIMITS = ['org', 'token'] as const

/** Metrics of the API. */
export function createApiMetrics(registers: Registry[]) {
  const refused = new Counter({
    name: 'usher_api_rate_limited_total',
    help: 'Requests to the API that were refused by a rate limit, by limit',
    labelNames: ['limit'],
    registers,
  })
  // A series that starts at 0 lets Prometheus see the first increase.
  for (const limit of API_LIMITS) refused.inc({ limit }, 0)
  return { apiRateLimited: refused }
}
