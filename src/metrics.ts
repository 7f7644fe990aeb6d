import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** Why the door refused a request: the only values of the label `reason`. */
export const REFUSALS = [
  'signature',
  'too_large',
  'method',
  'encoding',
  'handshake',
  'store',
  'full',
] as const
export type Refusal = (typeof REFUSALS)[number]

export type Metrics = ReturnType<typeof createMetrics>

/** Meta's figures for an answer are a median of 250 ms and under 1 % above 1 s: both are bucket bounds. */
const ANSWER_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10]
const ROUTING_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800]
const SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000]

/**
 * The metrics of one process in a registry of its own, with Node's default ones (`process_*`, `nodejs_*`). Ours
 * begin with `usher_`; labels are words from short fixed lists, never an id, a number or a text of anyone.
 */
export function createMetrics() {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  return {
    registry,
    ...doorMetrics(registers),
    ...routingMetrics(registers),
    ...sendingMetrics(registers),
    ...backlogGauges(registers),
    ...heartbeatGauges(registers),
  }
}

function doorMetrics(registers: Registry[]) {
  const refused = new Counter({
    name: 'usher_webhook_refused_total',
    help: 'Webhook requests not answered 200, by reason',
    labelNames: ['reason'],
    registers,
  })
  for (const reason of REFUSALS) refused.inc({ reason }, 0)
  return {
    refused,
    acknowledged: new Counter({
      name: 'usher_deliveries_acknowledged_total',
      help: 'Deliveries stored and answered 200',
      registers,
    }),
    answerSeconds: new Histogram({
      name: 'usher_webhook_answer_seconds',
      help: 'From the head of a webhook request to its answer',
      buckets: ANSWER_SECONDS,
      registers,
    }),
    insertBatch: new Histogram({
      name: 'usher_inbox_insert_deliveries',
      help: 'Deliveries stored by one insert',
      buckets: SIZES,
      registers,
    }),
  }
}

function routingMetrics(registers: Registry[]) {
  return {
    routed: new Counter({
      name: 'usher_messages_routed_total',
      help: 'Messages by routing decision',
      labelNames: ['route'],
      registers,
    }),
    parked: new Counter({
      name: 'usher_deliveries_parked_total',
      help: 'Deliveries put aside until their number is provisioned',
      registers,
    }),
    dead: new Counter({
      name: 'usher_deliveries_dead_total',
      help: 'Deliveries that could not be routed and are kept with their error',
      registers,
    }),
    routingBatch: new Histogram({
      name: 'usher_routing_batch_messages',
      help: 'Messages routed by one transaction',
      buckets: SIZES,
      registers,
    }),
    routingSeconds: new Histogram({
      name: 'usher_routing_seconds',
      help: 'From the receipt of a delivery to the commit that routed it',
      buckets: ROUTING_SECONDS,
      registers,
    }),
  }
}

function sendingMetrics(registers: Registry[]) {
  return {
    sends: new Counter({
      name: 'usher_sends_total',
      help: 'Tries to send a message, by outcome',
      labelNames: ['outcome'],
      registers,
    }),
    stoppedNumbers: new Gauge({
      name: 'usher_numbers_stopped',
      help: 'Numbers that may not send until they are provisioned again',
      registers,
    }),
  }
}

function backlogGauges(registers: Registry[]) {
  return {
    oldestUnroutedSeconds: new Gauge({
      name: 'usher_inbox_oldest_unrouted_seconds',
      help: 'Age of the oldest delivery that still has to be routed; 0 when there is none',
      registers,
    }),
    parkedNow: new Gauge({ name: 'usher_inbox_parked', help: 'Deliveries parked now', registers }),
    deadNow: new Gauge({ name: 'usher_inbox_dead', help: 'Dead deliveries kept now', registers }),
    queueJobs: new Gauge({
      name: 'usher_queue_jobs',
      help: 'Jobs in a queue, by state',
      labelNames: ['queue', 'state'],
      registers,
    }),
  }
}

function heartbeatGauges(registers: Registry[]) {
  return {
    canaryAge: new Gauge({
      name: 'usher_queue_canary_age_seconds',
      help: 'Since a worker of the queue last answered a canary, which is put into it every 30 s',
      labelNames: ['queue'],
      registers,
    }),
    clockSkew: new Gauge({
      name: 'usher_clock_skew_seconds',
      help: "Seconds that this machine's clock is ahead of the database's; beyond 5 either way its workers pause",
      registers,
    }),
    sweepAge: new Gauge({
      name: 'usher_sweep_age_seconds',
      help: 'Since the sweep last finished, in any process',
      labelNames: ['sweep'],
      registers,
    }),
  }
}
