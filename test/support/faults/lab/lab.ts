import { rm } from 'node:fs/promises'
import type { Database } from '../../../../src/db/client.ts'
import { type RecordingGraph, startRecordingGraph } from '../../graph-server.ts'
import { type Cleanup, createCleanup } from './cleanup.ts'
import { createContent, type Oddities } from './content.ts'
import { type LabEndpoint, startEndpoints } from './endpoints.ts'
import { Meta } from './meta.ts'
import { type LabNumber, moveNumber, provisionLateNumber, provisionOrgs, removeUser } from './orgs.ts'
import { createPopulation, type Population, type PopulationOptions } from './population.ts'
import type { FaultyPostgres } from './postgres.ts'
import { proxyReceivers, startProcesses } from './processes.ts'
import { type Proxies, startProxy, through } from './proxies.ts'
import type { FaultyRedis } from './redis.ts'
import { makeSecrets, type Secrets, secretStrings } from './secrets.ts'
import { type Stores, startStores } from './stores.ts'
import type { UsherProcess } from './usher-process.ts'

/** How long a receiver goes on after SIGTERM before it begins to close: the default of Usher. */
export const RECEIVER_DELAY_SECONDS = 5

export type LabEngine = 'postgres' | 'redis'

export type LabOptions = {
  engine: LabEngine
  seed: number
  receivers?: number
  workers?: number
  /** Own variables of each worker. */
  workerEnv?: Record<string, string>[]
  /** Folder that holds the `dist` to run: another than ours has a guard broken. */
  root?: string
  /** A server to share, in a database of its own; without it the lab has a server of its own. */
  postgres?: FaultyPostgres
  population?: Omit<PopulationOptions, 'seed'>
  oddities?: Partial<Oddities>
  /** Share of the accepted sends whose statuses come by webhook. */
  statuses?: number
  /** Each org has a webhook endpoint for all of its events; default: none has. */
  hasEndpoints?: boolean
}

/** A complete installation of Usher with proxies between its parts, and a load source in front of it. */
export type Lab = {
  engine: LabEngine
  seed: number
  postgres: FaultyPostgres
  /** Undefined when the queue is on PostgreSQL. */
  redis: FaultyRedis | undefined
  graph: RecordingGraph
  endpoints: LabEndpoint[]
  proxies: Proxies
  receivers: UsherProcess[]
  workers: UsherProcess[]
  population: Population
  meta: Meta
  /** Straight to the database, past the proxy. */
  db: Database['db']
  databaseUrl: string
  /** The URL of the internal listener of each process, in the order receivers, workers. */
  opsUrls: string[]
  /** Signs tokens for the API, which the receivers serve. */
  jwtSecret: string
  /** The folder with the logs of the processes, `<name>.log`. */
  folder: string
  provisionLateNumber(): Promise<unknown>
  /** Provisions the last of the ids of a number. */
  moveNumber(number: LabNumber): Promise<unknown>
  removeUser(orgId: string, userId: string): Promise<unknown>
  /** Stops everything; the folder goes too unless it is kept. */
  stop(options?: { keepFolder?: boolean }): Promise<void>
}

/** Starts everything and resolves when all processes are up. Build `dist` first. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const cleanup = createCleanup()
  try {
    return await assemble(options, cleanup)
  } catch (error) {
    await cleanup.run()
    throw error
  }
}

async function assemble(options: LabOptions, cleanup: Cleanup): Promise<Lab> {
  const { engine, seed, receivers, workers, workerEnv, root, hasEndpoints = false } = options
  const secrets = makeSecrets()
  const stores = await startStores(engine, options.postgres, cleanup)
  const { folder, postgres, redis, database } = stores
  const graph = await startRecordingGraph()
  cleanup.add(() => graph.stop())
  const proxies = await startProxies(stores, graph, cleanup)
  await provisionOrgs(database.db, secrets)
  const population = await createPopulation(database.db, { seed, ...options.population })
  const env = environment(stores, graph, proxies, secrets)
  const endpoints = hasEndpoints ? await startEndpoints(database.db, secrets.secretsKey, cleanup) : []
  const mustNotBeLogged = [
    ...[...secretStrings(secrets), ...phonesOf(population)],
    ...endpoints.map(({ receiver }) => receiver.secret),
  ]
  const processes = await startProcesses(
    { receivers, workers, workerEnv, root, folder, env, secrets: mustNotBeLogged },
    cleanup,
  )
  proxies.receivers = await proxyReceivers(processes, cleanup)
  const meta = startMeta(options, { population, secrets, graph, proxies }, cleanup)
  return {
    ...{ engine, seed, postgres, redis, graph, endpoints, proxies, population, meta, folder },
    ...{ receivers: processes.receivers, workers: processes.workers, opsUrls: processes.opsUrls },
    ...{ db: database.db, databaseUrl: database.url, jwtSecret: secrets.jwt },
    provisionLateNumber: () => provisionLateNumber(database.db, secrets),
    moveNumber: (number) => moveNumber(database.db, number, secrets),
    removeUser: (orgId, userId) => removeUser(database.db, orgId, userId, secrets),
    async stop({ keepFolder = false } = {}) {
      await cleanup.run()
      if (!keepFolder) await rm(folder, { recursive: true, force: true })
    },
  }
}

async function startProxies(
  { database, redis }: Stores,
  graph: RecordingGraph,
  cleanup: Cleanup,
): Promise<Proxies> {
  return {
    postgres: await startProxy(database.url, cleanup),
    redis: redis && (await startProxy(redis.url, cleanup)),
    graph: await startProxy(graph.url, cleanup),
    receivers: [],
  }
}

/** The environment of every process: it reaches everything by way of the proxies. */
function environment(
  { database, redis }: Stores,
  graph: RecordingGraph,
  proxies: Proxies,
  secrets: Secrets,
): Record<string, string> {
  return {
    DATABASE_URL: through(proxies.postgres, database.url),
    ...(redis && proxies.redis && { REDIS_URL: through(proxies.redis, redis.url) }),
    GRAPH_API_URL: through(proxies.graph, graph.url),
    META_APP_SECRET: secrets.app,
    META_VERIFY_TOKEN: secrets.verify,
    JWT_SECRET: secrets.jwt,
    SECRETS_KEY: secrets.secretsKey.toString('base64'),
    WEBHOOK_ALLOW_PRIVATE: 'true',
    SHUTDOWN_DELAY_SECONDS: String(RECEIVER_DELAY_SECONDS),
    OPS_USER: 'ops',
    OPS_PASSWORD: secrets.ops,
  }
}

function phonesOf({ regulars, returners, attesters }: Population): string[] {
  return [...regulars, ...[...returners, ...attesters].map(({ person }) => person)].map(({ waId }) => waId)
}

type MetaParts = Pick<Lab, 'population' | 'graph' | 'proxies'> & { secrets: Secrets }

function startMeta(
  { seed, oddities = {}, statuses = 1 }: LabOptions,
  { population, secrets, graph, proxies }: MetaParts,
  cleanup: Cleanup,
): Meta {
  const content = createContent({ seed, population, secretText: secrets.text, oddities })
  const urls = proxies.receivers.map(({ port }) => `http://127.0.0.1:${port}`)
  const meta = new Meta({ seed, content, graph, receivers: urls, secret: secrets.app, statuses })
  cleanup.add(() => meta.stop())
  return meta
}
