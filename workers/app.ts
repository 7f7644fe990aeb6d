import { availableParallelism } from 'node:os'
import type { Config } from '../src/config.ts'
import type { Database } from '../src/db/client.ts'
import { watchClock } from '../src/heartbeats/watch-clock.ts'
import { createLifetime, type Lifetime } from '../src/lifetime.ts'
import type { Logger } from '../src/logger.ts'
import { startTracing } from '../src/tracing/start.ts'
import { type ProcessDatabase, startDatabase } from './database.ts'
import { startOps } from './ops.ts'
import { createProbes } from './probes.ts'
import { startReceiver } from './receiver.ts'
import { openShared, type ProcessRole, type Shared } from './shared.ts'
import { type KeptWorkers, keepWorkers } from './split/keep-workers.ts'
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

type Options = {
  /** The role `all` may run its workers in a process of their own; default: false. */
  mayFork?: boolean
}

type Parts = { config: Config; role: ProcessRole; log: Logger; lifetime: Lifetime } & Required<Options>

const CLOSE_MS = 3_000

/**
 * Starts a process in one of its roles and resolves when it listens. It does not wait for PostgreSQL or Redis: while one
 * of them is away, `/ready` says so, and the process recovers by itself when it comes back.
 * @throws ListenError for a port that is taken; Error when the embedded database cannot be started.
 */
export async function startApp(
  config: Config,
  role: ProcessRole,
  log: Logger,
  { mayFork = false }: Options = {},
): Promise<App> {
  for (const warning of config.warnings) log.warn(warning)
  const lifetime = createLifetime(log)
  try {
    return await assemble({ config, role, log, lifetime, mayFork })
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
  const isSplit = runsTwo(start, database)
  const parts = openShared({
    ...start,
    ...{ database, tracing, isOneOfTwo: isSplit, role: isSplit ? 'server' : role },
  })
  const forked = isSplit ? forkWorkers(parts) : undefined
  const workers = parts.role === 'server' ? undefined : startWorkers(parts)
  const clock = watchClock({ ...parts, workers, now: Date.now })
  lifetime.onStop('clock', () => clock.stop())
  const receiver = role === 'workers' ? undefined : await startReceiver(parts, database)
  const probes = [...createProbes({ ...parts, clock }), ...(forked ? [forked.probe] : [])]
  const databaseUrl = database.directUrl
  const readOtherMetrics = forked?.readMetrics
  const opsUrl = await startOps({ ...parts, databaseUrl, probes, clock, readOtherMetrics, now: Date.now })
  const url = receiver?.url
  const about = { role, url, opsUrl, queue: parts.engine.kind, ...(isSplit && { processes: 2 }) }
  const readiness = watchReadiness({ probes, about, log })
  lifetime.onStop('readiness', readiness.stop)
  return { url, opsUrl, databaseUrl: database.url, db: parts.db, lifetime }
}

/** A pooler in session mode has too few connections for two processes, unless somebody has said otherwise. */
function runsTwo({ config, role, mayFork }: Parts, { isScarce }: ProcessDatabase): boolean {
  const mostUseful = isScarce || availableParallelism() < 2 ? 1 : 2
  return role === 'all' && mayFork && (config.processes ?? mostUseful) === 2
}

function forkWorkers({ database, log, lifetime }: Shared): KeptWorkers {
  const forked = keepWorkers({ migrated: database.migrated, log })
  lifetime.onStop('process of the workers', forked.stop)
  return forked
}
