import { AggregatorRegistry, type Registry } from 'prom-client'
import type { MetricValues } from './messages.ts'

/**
 * The metrics of two processes as one text for Prometheus. Usher's own are added up, unless a metric says otherwise; those
 * of Node have a label `process`, so that both are in the text.
 */
export async function mergeMetrics(own: Registry, others: MetricValues): Promise<string> {
  const all = [(await own.getMetricsAsJSON()) as MetricValues, others].map((metrics) =>
    metrics.map((one) => (one.aggregator === 'omit' ? { ...one, aggregator: 'first' } : one)),
  )
  return AggregatorRegistry.aggregate(all).metrics()
}
