import { Gauge, type Registry } from 'prom-client'

/** What waits at the moment: in the inbox and in the queues. */
export function createBacklogGauges(registers: Registry[]) {
  return {
    oldestUnroutedSeconds: new Gauge({
      name: 'usher_inbox_oldest_unrouted_seconds',
      help: 'Age of the oldest delivery that still has to be routed; 0 when there is none',
      registers,
    }),
    oldestRetriedSeconds: new Gauge({
      name: 'usher_inbox_oldest_retried_seconds',
      help: 'Age of the oldest delivery that still has to be routed and was enqueued again; 0 when there is none',
      registers,
    }),
    parkedNow: new Gauge({ name: 'usher_inbox_parked', help: 'Deliveries that are parked now', registers }),
    deadNow: new Gauge({ name: 'usher_inbox_dead', help: 'Dead letters that are kept now', registers }),
    queueJobs: new Gauge({
      name: 'usher_queue_jobs',
      help: 'Jobs in a queue, by state',
      labelNames: ['queue', 'state'],
      registers,
    }),
  }
}

/** The event log: how far readers are behind at least, and how large it is. */
export function createEventLogGauges(registers: Registry[]) {
  return {
    eventLogUnreadable: new Gauge({
      name: 'usher_event_log_unreadable_seconds',
      help: 'Age of the oldest event that readers do not get yet, because a transaction is open that began before it; 0 when there is none',
      registers,
    }),
    eventLogBytes: new Gauge({
      name: 'usher_event_log_bytes',
      help: 'Size of the event log with its indexes, by kind of partition: today, the days before, the days after, and any other day',
      labelNames: ['partition'],
      registers,
    }),
  }
}

/** Messages in the default partition of the ledger. */
export function createLedgerGauges(registers: Registry[]) {
  return {
    ledgerStrays: new Gauge({
      name: 'usher_ledger_default_messages',
      help: 'Messages in the default partition of the ledger, up to 10,000: of months that should have a partition (due), and of times far from now (far)',
      labelNames: ['month'],
      registers,
    }),
  }
}

/** Signs of life of queues and sweeps, and the difference of the clocks. */
export function createHeartbeatGauges(registers: Registry[]) {
  return {
    canaryAge: new Gauge({
      name: 'usher_queue_canary_age_seconds',
      help: 'Time since a worker last answered a canary of this queue; a canary is enqueued every 30 s',
      labelNames: ['queue'],
      registers,
    }),
    clockSkew: new Gauge({
      name: 'usher_clock_skew_seconds',
      help: "Seconds that this machine's clock is ahead of the database's; beyond 5 s either way its API changes nothing and its workers pause",
      // Processes that are shown together have the same clock.
      aggregator: 'first',
      registers,
    }),
    sweepAge: new Gauge({
      name: 'usher_sweep_age_seconds',
      help: 'Time since the sweep last finished, in any process',
      labelNames: ['sweep'],
      registers,
    }),
  }
}
