import type { Config, Role } from '../src/config.ts'
import type { Database } from '../src/db/client.ts'
import { expectCanaries } from '../src/heartbeats/expect-canaries.ts'
import { type Ages, readHeartbeats } from '../src/heartbeats/read-heartbeats.ts'
import type { ClockWatch } from '../src/heartbeats/watch-clock.ts'
import type { Probe } from '../src/http/readiness.ts'
import { startServer } from '../src/http/server.ts'
import { inboxFigures } from '../src/inbox/figures.ts'
import type { Lifetime } from '../src/lifetime.ts'
import type { Logger } from '../src/logger.ts'
import type { Metrics } from '../src/metrics.ts'
import { countStoppedNumbers } from '../src/outbound/stopped-numbers.ts'
import { type Engine, ping } from '../src/queue/connection.ts'
import { queueDepths } from '../src/queue/health.ts'
import type { Producer } from '../src/queue/producer.ts'
import { createOpsApp } from './ops-app.ts'

type Parts = {
  config: Config
  role: Exclude<Role, 'cli'>
  db: Database['db']
  engine: Engine
  producer: Producer
  clock: ClockWatch
  metrics: Metrics
  log: Logger
  lifetime: Lifetime
}

/** Starts the internal listener; gives where it can be reached. */
export async function startOps(parts: Parts): Promise<string> {
  const { config, db, producer, clock, metrics, log, lifetime } = parts
  const handler = createOpsApp({
    probes: probesOf(parts),
    details: () => readDetails(db, clock),
    registry: metrics.registry,
    refreshGauges: () => refreshGauges(parts),
    queues: producer.queues,
    login: config.ops.login,
    readOnly: config.ops.readOnly,
    now: () => new Date(),
    db,
    enqueue: (ids) => producer.enqueueDeliveries(ids),
    log,
  })
  const { host, port } = config.ops
  const server = await startServer({ host, port, variable: 'OPS_PORT', handler, log })
  lifetime.onStop('ops listener', () => server.close(1_000))
  return server.url
}

/** A door answers 200 without any queue, so it stays in rotation; a process that only works is nothing without. */
function probesOf({ db, engine, clock, role }: Parts): Probe[] {
  const onlyWorks = role === 'workers'
  return [
    { name: 'database', check: () => db.$client.query('select 1 from inbox limit 0'), vital: true },
    { name: 'queue', check: () => ping(engine), vital: onlyWorks },
    { name: 'canaries', check: () => expectCanaries(db, process.uptime()), vital: onlyWorks },
    { name: 'clock', check: clock.expectRight, vital: onlyWorks },
  ]
}

async function readDetails(db: Database['db'], clock: ClockWatch): Promise<Record<string, unknown>> {
  const [stopped, { canaries, sweeps }] = await Promise.all([countStoppedNumbers(db), readHeartbeats(db)])
  return {
    stopped_numbers: stopped,
    canary_age_seconds: canaries,
    sweep_age_seconds: sweeps,
    clock_skew_seconds: clock.skew() ?? null,
  }
}

/** Each part by itself: a queue that is away must not hide the inbox. */
async function refreshGauges({ db, producer, metrics }: Parts): Promise<void> {
  const fromDatabase = async () => {
    const [figures, stopped, beats] = await Promise.all([
      inboxFigures(db),
      countStoppedNumbers(db),
      readHeartbeats(db),
    ])
    metrics.stoppedNumbers.set(stopped)
    metrics.oldestUnroutedSeconds.set(figures.oldestUnroutedSeconds)
    metrics.parkedNow.set(figures.parked)
    metrics.deadNow.set(figures.dead)
    for (const [queue, age] of known(beats.canaries)) metrics.canaryAge.set({ queue }, age)
    for (const [sweep, age] of known(beats.sweeps)) metrics.sweepAge.set({ sweep }, age)
  }
  const fromQueues = async () => {
    for (const [queue, states] of Object.entries(await queueDepths(producer.queues()))) {
      for (const [state, jobs] of Object.entries(states)) metrics.queueJobs.set({ queue, state }, jobs)
    }
  }
  await Promise.all([fromDatabase(), fromQueues()])
}

function known(ages: Ages): [string, number][] {
  return Object.entries(ages).flatMap(([name, age]): [string, number][] =>
    age === null ? [] : [[name, age]],
  )
}
