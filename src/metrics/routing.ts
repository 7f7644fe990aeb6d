import { Counter, Histogram, type Registry } from 'prom-client'
import { BATCH_SIZES } from './buckets.ts'

const ROUTING_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800]

/** Metrics of routing: what became of deliveries and messages, and how long it took. */
export function createRoutingMetrics(registers: Registry[]) {
  return {
    routed: new Counter({
      name: 'usher_messages_routed_total',
      help: 'Messages by routing decision',
      labelNames: ['route'],
      registers,
    }),
    parked: new Counter({
      name: 'usher_deliveries_parked_total',
      help: 'Deliveries parked until their number is provisioned',
      registers,
    }),
    dead: new Counter({
      name: 'usher_deliveries_dead_total',
      help: 'Deliveries that could not be routed and became dead letters',
      registers,
    }),
    routingBatch: new Histogram({
      name: 'usher_routing_batch_messages',
      help: 'Messages routed by one transaction',
      buckets: BATCH_SIZES,
      registers,
    }),
    routingSeconds: new Histogram({
      name: 'usher_routing_seconds',
      help: 'Time from the receipt of a delivery to the commit that routed it',
      buckets: ROUTING_SECONDS,
      registers,
    }),
  }
}
