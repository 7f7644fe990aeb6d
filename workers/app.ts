import type { Config, Role } from '../src/config.ts'
import { type Database, openDatabase } from '../src/db/client.ts'
import { migrateWhenReachable } from '../src/db/prepare.ts'
import { databaseUrl } from '../src/db/url.ts'
import { keepCanaries } from '../src/heartbeats/keep-canaries.ts'
import { watchClock } from '../src/heartbeats/watch-clock.ts'
import { createLifetime, type Lifetime } from '../src/lifetime.ts'
import type { Logger } from '../src/logger.ts'
import { createMetrics } from '../src/metrics.ts'
import { oncePerSecond } from '../src/once-per-second.ts'
import { createGraph } from '../src/outbound/graph.ts'
import { openEngine } from '../src/queue/connection.ts'
import { createProducer } from '../src/queue/producer.ts'
import { startTracing } from '../src/tracing/tracing.ts'
import { startOps } from './ops.ts'
import { startDoor } from './receiver.ts'
import { startWorkers } from './start.ts'

export type App = {
  /** Of the public listener; undefined for a process that only works. */
  url: string | undefined
  opsUrl: string
  databaseUrl: string
  db: Database['db']
  lifetime: Lifetime
}

const CLOSE_MS = 3_000

/**
 * Starts a process in one of its roles and returns once it listens; it does not wait for PostgreSQL or Redis,
 * whose absence `/ready` tells and time heals. Only the role `all` migrates: in a split installation,
 * `npm run migrate` is a step of the deployment.
 * @throws ListenError for a port that is taken; Error when the embedded database cannot start.
 */
export async function startApp(config: Config, role: Exclude<Role, 'cli'>, log: Logger): Promise<App> {
  for (const warning of config.warnings) log.warn(warning)
  const lifetime = createLifetime(log)
  try {
    return await assemble(config, role, log, lifetime)
  } catch (error) {
    await lifetime.stop(CLOSE_MS)
    throw error
  }
}

async function assemble(
  config: Config,
  role: Exclude<Role, 'cli'>,
  log: Logger,
  lifetime: Lifetime,
): Promise<App> {
  const tracing = await startTracing(config.traces, log)
  lifetime.onStop('traces', () => tracing.stop())
  const postgres = await databaseUrl(config, (line) => log.info(line))
  lifetime.onStop('embedded database', () => postgres.stop())
  await prepareSchema(config, role, postgres.url, log, lifetime)
  const open = (name: string, max: number) => {
    const warn = oncePerSecond(log)
    const onLost = (err: Error) => warn(err, 'database connections were lost')
    const { db, close } = openDatabase(postgres.url, { max, name, onLost })
    lifetime.onStop(`database pool ${name}`, close)
    return db
  }
  const db = open(`usher-${role}`, config.workers.concurrency + 8)
  const engine = openEngine({ ...config, databaseUrl: postgres.url, telemetry: tracing.telemetry })
  const producer = createProducer({ engine, log })
  lifetime.onStop('queues', () => producer.close(CLOSE_MS))
  const metrics = createMetrics()
  const parts = {
    config,
    db,
    engine,
    databaseUrl: postgres.url,
    producer,
    metrics,
    tracing,
    log,
    lifetime,
    concurrency: config.workers.concurrency,
    graph: createGraph(config.graph),
    secretsKey: config.secretsKey,
  }
  const canaries = keepCanaries(parts)
  lifetime.onStop('canaries', () => canaries.stop())
  const workers = role === 'server' ? undefined : startWorkers(parts)
  const clock = watchClock({ ...parts, workers, now: Date.now })
  lifetime.onStop('clock', () => clock.stop())
  const url =
    role === 'workers' ? undefined : (await startDoor({ ...parts, doorDb: open('usher-door', 2) })).url
  const opsUrl = await startOps({ ...parts, role, clock })
  log.info({ role, url, opsUrl, queue: engine.kind }, 'Usher is up')
  return { url, opsUrl, databaseUrl: postgres.url, db, lifetime }
}

/** The embedded database is ours alone and is migrated before anything uses it; another one may be away yet. */
async function prepareSchema(config: Config, role: Role, url: string, log: Logger, lifetime: Lifetime) {
  const abort = new AbortController()
  if (config.databaseUrl === undefined) return migrateWhenReachable(url, log, abort.signal)
  if (role !== 'all') return
  lifetime.onStop('migration', () => abort.abort())
  migrateWhenReachable(url, log, abort.signal).catch((err) =>
    log.fatal({ err }, 'the database could not be migrated'),
  )
}
