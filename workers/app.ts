import type { Config, Role } from '../src/config.ts'
import { type Database, openDatabase } from '../src/db/client.ts'
import { migrateWhenReachable } from '../src/db/prepare.ts'
import { databaseUrl } from '../src/db/url.ts'
import { createOpsApp } from '../src/http/ops.ts'
import { startServer } from '../src/http/server.ts'
import { inboxFigures } from '../src/inbox/figures.ts'
import { createLifetime, type Lifetime } from '../src/lifetime.ts'
import type { Logger } from '../src/logger.ts'
import { createMetrics, type Metrics } from '../src/metrics.ts'
import { createGraph } from '../src/outbound/graph.ts'
import { countStoppedNumbers } from '../src/outbound/stopped-numbers.ts'
import { type Engine, openEngine, ping } from '../src/queue/connection.ts'
import { queueDepths } from '../src/queue/health.ts'
import { createProducer, type Producer } from '../src/queue/producer.ts'
import { startDoor } from './door.ts'
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
  const postgres = await databaseUrl(config, (line) => log.info(line))
  lifetime.onStop('embedded database', () => postgres.stop())
  await prepareSchema(config, role, postgres.url, log, lifetime)
  const open = (name: string, max: number) => {
    const onIdleError = (err: Error) => log.warn({ err }, 'an idle database connection was lost')
    const { db, close } = openDatabase(postgres.url, { max, name, onIdleError })
    lifetime.onStop(`database pool ${name}`, close)
    return db
  }
  const db = open(`usher-${role}`, config.workers.concurrency + 8)
  const engine = openEngine({ redisUrls: config.redisUrls, databaseUrl: postgres.url })
  const producer = createProducer({ engine, log })
  lifetime.onStop('queues', () => producer.close(CLOSE_MS))
  const metrics = createMetrics()
  const parts = {
    config,
    db,
    engine,
    producer,
    metrics,
    log,
    lifetime,
    concurrency: config.workers.concurrency,
    graph: createGraph(config.graph),
    secretsKey: config.secretsKey,
    now: () => new Date(),
  }
  if (role !== 'server') startWorkers(parts)
  const url =
    role === 'workers' ? undefined : (await startDoor({ ...parts, doorDb: open('usher-door', 2) })).url
  const opsUrl = await startOps(parts)
  log.info({ role, url, opsUrl, queue: engine.kind }, 'Usher is up')
  return { url, opsUrl, databaseUrl: postgres.url, db, lifetime }
}

/** The embedded database is ours alone and is migrated before anything uses it; another one may be away yet. */
async function prepareSchema(config: Config, role: Role, url: string, log: Logger, lifetime: Lifetime) {
  const abort = new AbortController()
  const migrated = migrateWhenReachable(url, log, abort.signal)
  if (config.databaseUrl === undefined) return migrated
  if (role !== 'all') return abort.abort()
  lifetime.onStop('migration', () => abort.abort())
  migrated.catch((err) => log.fatal({ err }, 'the database could not be migrated'))
}

type OpsParts = {
  config: Config
  db: Database['db']
  engine: Engine
  producer: Producer
  metrics: Metrics
  log: Logger
  lifetime: Lifetime
}

async function startOps({ config, db, engine, producer, metrics, log, lifetime }: OpsParts): Promise<string> {
  const handler = createOpsApp({
    probes: [
      { name: 'database', check: () => db.$client.query('select 1 from inbox limit 0') },
      { name: 'queue', check: () => ping(engine) },
    ],
    details: async () => ({ stopped_numbers: await countStoppedNumbers(db) }),
    registry: metrics.registry,
    refreshGauges: () => refreshGauges(db, producer, metrics),
    queues: producer.queues,
    login: config.ops.login,
    readOnly: config.ops.readOnly,
    db,
    enqueue: async (ids) => {
      await producer.enqueueDeliveries(ids)
    },
    log,
  })
  const { host, port } = config.ops
  const server = await startServer({ host, port, variable: 'OPS_PORT', handler, log })
  lifetime.onStop('ops listener', () => server.close(1_000))
  return server.url
}

async function refreshGauges(db: Database['db'], producer: Producer, metrics: Metrics): Promise<void> {
  const [figures, stopped, depths] = await Promise.all([
    inboxFigures(db),
    countStoppedNumbers(db),
    queueDepths(producer.queues()),
  ])
  metrics.stoppedNumbers.set(stopped)
  metrics.oldestUnroutedSeconds.set(figures.oldestUnroutedSeconds)
  metrics.parkedNow.set(figures.parked)
  metrics.deadNow.set(figures.dead)
  for (const [queue, states] of Object.entries(depths)) {
    for (const [state, jobs] of Object.entries(states)) metrics.queueJobs.set({ queue, state }, jobs)
  }
}
