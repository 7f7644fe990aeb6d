import type { Config, Role } from '../src/config.ts'
import { keepCanaries } from '../src/heartbeats/keep-canaries.ts'
import type { Lifetime } from '../src/lifetime.ts'
import type { Logger } from '../src/logger.ts'
import { createMetrics } from '../src/metrics.ts'
import { oncePerSecond } from '../src/once-per-second.ts'
import { createAccessTokens } from '../src/outbound/access-tokens.ts'
import { createGraph } from '../src/outbound/graph.ts'
import { openEngine } from '../src/queue/connection.ts'
import { createProducer } from '../src/queue/producer.ts'
import type { Tracing } from '../src/tracing/tracing.ts'
import type { ProcessDatabase } from './database.ts'
import { createAnnounceEvents } from './webhooks/announce.ts'

export type ProcessRole = Exclude<Role, 'cli'>

type Parts = {
  config: Config
  role: ProcessRole
  log: Logger
  lifetime: Lifetime
  database: ProcessDatabase
  tracing: Tracing
  /** This process is one of the two of an installation that runs on all cores. */
  isOneOfTwo: boolean
}

export type Shared = ReturnType<typeof openShared>

const CLOSE_MS = 3_000

/** Opens what the receiver, the workers and the internal listener of a process share. */
export function openShared({ config, role, log, lifetime, database, tracing, isOneOfTwo }: Parts) {
  const { directUrl, isScarce, openPool } = database
  const { concurrency } = config.workers
  const { eventRetentionDays, secretsKey, allowPrivateWebhooks } = config
  const db = openPool(`usher-${role}`, concurrency + 8)
  const { telemetry } = tracing
  const engine = openEngine({ redis: config.redis, databaseUrl: directUrl, isScarce, telemetry })
  const producer = createProducer({ engine, log })
  lifetime.onStop('queues', () => producer.close(CLOSE_MS))
  const graph = createGraph(config.graph)
  const metrics = createMetrics(isOneOfTwo && role !== 'all' ? role : undefined)
  const tokens = createAccessTokens({ db, secretsKey, log })
  const canaries = keepCanaries({ db, producer, log })
  lifetime.onStop('canaries', () => canaries.stop())
  const warn = oncePerSecond(log)
  const onError = (err: unknown) => warn(err, 'the orgs that have webhook endpoints could not be read')
  const announceEvents = createAnnounceEvents({ db, producer, onError })
  const shared = { config, role, log, lifetime, database, tracing }
  const own = { concurrency, eventRetentionDays, secretsKey, allowPrivateWebhooks, tokens, announceEvents }
  return { ...shared, ...own, db, directUrl, engine, producer, graph, metrics }
}
