import type { Config, Role } from '../src/config.ts'
import type { Database } from '../src/db/client.ts'
import { keepCanaries } from '../src/heartbeats/keep-canaries.ts'
import { watchClock } from '../src/heartbeats/watch-clock.ts'
import { createLifetime, type Lifetime } from '../src/lifetime.ts'
import type { Logger } from '../src/logger.ts'
import { createMetrics } from '../src/metrics.ts'
import { createAccessTokens } from '../src/outbound/access-tokens.ts'
import { createGraph } from '../src/outbound/graph.ts'
import { openEngine } from '../src/queue/connection.ts'
import { createProducer } from '../src/queue/producer.ts'
import { startTracing } from '../src/tracing/start.ts'
import { type ProcessDatabase, startDatabase } from './database.ts'
import { startOps } from './ops.ts'
import { createProbes } from './probes.ts'
import { startReceiver } from './receiver.ts'
import { startWorkers } from './start.ts'
import { watchReadiness } from './watch-readiness.ts'

export type App = {
  /** URL of the public listener; undefined in the role `workers`. */
  url: string | undefined
  opsUrl: string
  databaseUrl: string
  db: Database['db']
  lifetime: Lifetime
}

type ProcessRole = Exclude<Role, 'cli'>
type Parts = { config: Config; role: ProcessRole; log: Logger; lifetime: Lifetime }

const CLOSE_MS = 3_000

/**
 * Starts a process in one of its roles and resolves when it listens. It does not wait for PostgreSQL or Redis: while one
 * of them is away, `/ready` says so, and the process recovers by itself when it comes back.
 * @throws ListenError for a port that is taken; Error when the embedded database cannot be started.
 */
export async function startApp(config: Config, role: ProcessRole, log: Logger): Promise<App> {
  for (const warning of config.warnings) log.warn(warning)
  const lifetime = createLifetime(log)
  try {
    return await assemble({ config, role, log, lifetime })
  } catch (error) {
    await lifetime.stop(CLOSE_MS)
    throw error
  }
}

async function assemble(start: Parts): Promise<App> {
  const { config, role, log, lifetime } = start
  const tracing = await startTracing(config.traces, log)
  lifetime.onStop('traces', () => tracing.stop())
  const database = await startDatabase(start)
  const parts = { ...start, tracing, ...openShared(start, database, tracing.telemetry) }
  const canaries = keepCanaries(parts)
  lifetime.onStop('canaries', () => canaries.stop())
  const workers = role === 'server' ? undefined : startWorkers(parts)
  const clock = watchClock({ ...parts, workers, now: Date.now })
  lifetime.onStop('clock', () => clock.stop())
  const receiver = role === 'workers' ? undefined : await startReceiver(parts, database)
  const probes = createProbes({ ...parts, database, clock })
  const databaseUrl = database.directUrl
  const opsUrl = await startOps({ ...parts, databaseUrl, probes, clock, now: Date.now })
  const url = receiver?.url
  const about = { role, url, opsUrl, queue: parts.engine.kind }
  const readiness = watchReadiness({ probes, about, log })
  lifetime.onStop('readiness', readiness.stop)
  return { url, opsUrl, databaseUrl: database.url, db: parts.db, lifetime }
}

/** What the receiver, the workers and the ops listener of a process share. */
function openShared(
  { config, role, log, lifetime }: Parts,
  { directUrl, isScarce, openPool }: ProcessDatabase,
  telemetry: Parameters<typeof openEngine>[0]['telemetry'],
) {
  const { concurrency } = config.workers
  const { eventRetentionDays } = config
  const db = openPool(`usher-${role}`, concurrency + 8)
  const engine = openEngine({ redis: config.redis, databaseUrl: directUrl, isScarce, telemetry })
  const producer = createProducer({ engine, log })
  lifetime.onStop('queues', () => producer.close(CLOSE_MS))
  const graph = createGraph(config.graph)
  const metrics = createMetrics()
  const tokens = createAccessTokens({ db, secretsKey: config.secretsKey, log })
  return { db, directUrl, engine, producer, graph, metrics, concurrency, eventRetentionDays, tokens }
}
