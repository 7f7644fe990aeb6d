import type { Config } from '../src/config.ts'
import type { Database } from '../src/db/client.ts'
import { readReplication } from '../src/db/replication.ts'
import { examine } from '../src/doctor/examine.ts'
import { readHeartbeats } from '../src/heartbeats/read-heartbeats.ts'
import type { ClockWatch } from '../src/heartbeats/watch-clock.ts'
import { createAdminAuth } from '../src/http/admin-auth.ts'
import type { Probe } from '../src/http/run-probes.ts'
import { startServer } from '../src/http/server.ts'
import type { Lifetime } from '../src/lifetime.ts'
import type { Logger } from '../src/logger.ts'
import { createLogins, type Logins } from '../src/logins/logins.ts'
import type { Metrics } from '../src/metrics.ts'
import { countStoppedNumbers } from '../src/outbound/stopped-numbers.ts'
import { createBoardQueues } from '../src/queue/board-queues.ts'
import type { Engine } from '../src/queue/connection.ts'
import type { Producer } from '../src/queue/producer.ts'
import { refreshGauges } from './gauges.ts'
import { createOpsApp, type OpsParts } from './ops-app.ts'

type Parts = Pick<OpsParts, 'readOtherMetrics'> & {
  config: Config
  db: Database['db']
  engine: Engine
  probes: Probe[]
  producer: Producer
  clock: ClockWatch
  databaseUrl: string
  /** This machine's time in milliseconds. */
  now: () => number
  metrics: Metrics
  log: Logger
  lifetime: Lifetime
}

const CLOSE_MS = 1_000

/** Starts the internal listener and resolves with its URL. */
export async function startOps(parts: Parts): Promise<string> {
  const { config, db, engine, probes, producer, clock, metrics, log, lifetime } = parts
  const boardQueues = createBoardQueues(engine, log)
  lifetime.onStop('queues of Bull Board', () => boardQueues.close(CLOSE_MS))
  const handler = createOpsApp({
    probes,
    details: () => readDetails(db, clock),
    ending: lifetime.ending,
    registry: metrics.registry,
    readOtherMetrics: parts.readOtherMetrics,
    refreshGauges: () => refreshGauges(parts),
    queues: producer.queues,
    boardQueues: boardQueues.open,
    hasRedis: config.redis !== undefined,
    login: config.ops.login,
    logins: openLogins(config, log),
    readOnly: config.ops.readOnly,
    authenticateAdmin: createAdminAuth(config.ops.adminTokens, config.jwt, log),
    machineTime: parts.now,
    db,
    enqueue: (ids) => producer.enqueueDeliveries(ids),
    installation: config,
    examine: (orgId) => examine(parts, { orgId }),
    log,
  })
  const { host, port } = config.ops
  const server = await startServer({ host, port, variable: 'OPS_PORT', handler, log })
  lifetime.onStop('ops listener', () => server.close(1_000))
  return server.url
}

/** Undefined without OPS_USERS_FILE and OIDC_ISSUER: then there is no login page. */
function openLogins(
  { ops: { login, usersFile, oidc }, secretsKey }: Config,
  log: Logger,
): Logins | undefined {
  if ((usersFile === undefined && oidc === undefined) || secretsKey === undefined) return undefined
  return createLogins({ login, usersFile, oidc, secretsKey, log })
}

async function readDetails(db: Database['db'], clock: ClockWatch): Promise<Record<string, unknown>> {
  const [stopped, { canaries, sweeps }, replication] = await Promise.all([
    countStoppedNumbers(db),
    readHeartbeats(db),
    readReplication(db),
  ])
  return {
    replication,
    stopped_numbers: stopped,
    canary_age_seconds: canaries,
    sweep_age_seconds: sweeps,
    clock_skew_seconds: clock.skew() ?? null,
  }
}
