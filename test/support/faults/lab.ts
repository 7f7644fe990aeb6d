import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from '../../../src/db/client.ts'
import { projectRoot } from '../../../src/project-root.ts'
import { startTcpProxy, type TcpProxy } from '../tcp-proxy.ts'
import { type Cast, type CastOptions, createCast } from './cast.ts'
import { type Child, type ChildRole, createChild, weigh } from './children.ts'
import { createContent, type Oddities } from './content.ts'
import { createLabDatabase } from './database.ts'
import { type FaultyGraph, startFaultyGraph } from './graph.ts'
import { createMeta, type Meta } from './meta.ts'
import { lastingPort } from './ports.ts'
import { type FaultyPostgres, startFaultyPostgres } from './postgres.ts'
import { type FaultyRedis, startFaultyRedis } from './redis.ts'

export type LabEngine = 'postgres' | 'redis'

export type LabOptions = {
  engine: LabEngine
  seed: number
  receivers?: number
  workers?: number
  /** Folder that holds the `dist` to run: another than ours has a guard broken. */
  root?: string
  /** A server to share, in a database of its own; without it the lab has a server of its own. */
  postgres?: FaultyPostgres
  cast?: Partial<Omit<CastOptions, 'seed' | 'secretsKey' | 'accessToken'>>
  oddities?: Partial<Oddities>
  /** Share of our sends whose statuses come by webhook. */
  statuses?: number
  env?: Record<string, string>
}

/** The real thing, with proxies between its parts, and a load source in front of it. */
export type Lab = {
  engine: LabEngine
  seed: number
  postgres: FaultyPostgres
  /** Undefined when the queue is on PostgreSQL. */
  redis: FaultyRedis | undefined
  graph: FaultyGraph
  /** Between all processes and their store; between Meta and each receiver. */
  proxies: { postgres: TcpProxy; redis: TcpProxy | undefined; graph: TcpProxy; doors: TcpProxy[] }
  receivers: Child[]
  workers: Child[]
  cast: Cast
  meta: Meta
  /** Straight to the database, past the proxy. */
  db: Database['db']
  databaseUrl: string
  /** Of each process, in the order receivers, workers. */
  opsUrls: string[]
  opsLogin: string
  /** Bearer of tokens for the API; the API listens where the doors do. */
  jwtSecret: string
  /** The folder with the logs of the processes, `<name>.log`. */
  folder: string
  /** Stops everything; the folder goes too unless it is kept. */
  stop(options?: { keepFolder?: boolean }): Promise<void>
}

const WEIGH_MS = 1_000

/** Starts everything and resolves when all processes are up. Build `dist` first. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const { engine, seed, receivers = 2, workers = 2, root = projectRoot() } = options
  const undo: (() => unknown)[] = []
  try {
    const folder = await mkdtemp(join(tmpdir(), 'usher-lab-'))
    // As root, PostgreSQL runs as another user, who must be able to pass through.
    await chmod(folder, 0o755)
    const postgres = options.postgres ?? (await startFaultyPostgres(folder))
    if (!options.postgres) undo.unshift(() => postgres.stop())
    const { url: databaseUrl, db, close } = await createLabDatabase(postgres.url)
    undo.unshift(close)
    const redis = engine === 'redis' ? await startFaultyRedis() : undefined
    if (redis) undo.unshift(() => redis.stop())
    const graph = await startFaultyGraph()
    undo.unshift(() => graph.stop())
    const secrets = makeSecrets()
    const castOptions = { seed, secretsKey: secrets.key, accessToken: secrets.accessToken, ...options.cast }
    const cast = await createCast(db, castOptions)

    const before = async (url: string) => {
      const { hostname, port } = new URL(url)
      const proxy = await startTcpProxy({ host: hostname, port: Number(port) })
      undo.unshift(() => proxy.close())
      return proxy
    }
    const toPostgres = await before(databaseUrl)
    const toRedis = redis && (await before(redis.url))
    const toGraph = await before(graph.url)
    const env = {
      DATABASE_URL: through(toPostgres, databaseUrl),
      ...(redis && toRedis && { REDIS_URL: through(toRedis, redis.url) }),
      GRAPH_API_URL: through(toGraph, graph.url),
      META_APP_SECRET: secrets.app,
      META_VERIFY_TOKEN: secrets.verify,
      JWT_SECRET: secrets.jwt,
      SECRETS_KEY: secrets.key.toString('base64'),
      OPS_USER: 'ops',
      OPS_PASSWORD: secrets.ops,
      ...options.env,
    }
    const people = [...cast.busy, ...cast.gone.map(({ person }) => person)].map(({ waId }) => waId)
    const logged = [...Object.values(secrets).map(String), env.SECRETS_KEY, secrets.text, ...people]
    const opsUrls: string[] = []
    const child = async (role: ChildRole, name: string, more: Record<string, string>): Promise<Child> => {
      const opsPort = String(await lastingPort())
      opsUrls.push(`http://127.0.0.1:${opsPort}`)
      const one = createChild({
        role,
        name,
        root,
        env: { ...env, ...more, OPS_PORT: opsPort },
        logFile: join(folder, `${name}.log`),
        canaries: logged,
      })
      undo.unshift(async () => {
        one.thaw()
        await one.end('SIGKILL')
      })
      return one
    }
    const doors: { child: Child; proxy: TcpProxy }[] = []
    for (let i = 1; i <= receivers; i += 1) {
      const port = await lastingPort()
      const one = await child('server', `receiver-${i}`, { HOST: '127.0.0.1', PORT: String(port) })
      doors.push({ child: one, proxy: await before(`http://127.0.0.1:${port}`) })
    }
    const workerChildren: Child[] = []
    for (let i = 1; i <= workers; i += 1) workerChildren.push(await child('workers', `worker-${i}`, {}))
    const children = [...doors.map((door) => door.child), ...workerChildren]
    // Whatever ends this process, its children end with it.
    const killAll = () => {
      for (const one of children) if (one.pid() > 0) process.kill(one.pid(), 'SIGKILL')
    }
    process.once('exit', killAll)
    undo.push(() => process.off('exit', killAll))
    await Promise.all(children.map((one) => one.start()))
    const scale = setInterval(() => void weigh(children), WEIGH_MS)
    undo.unshift(() => clearInterval(scale))

    const content = createContent({ seed, cast, textCanary: secrets.text, oddities: options.oddities ?? {} })
    const urls = doors.map(({ proxy }) => `http://127.0.0.1:${proxy.port}`)
    const { statuses = 1 } = options
    const meta = createMeta({ seed, content, graph, doors: () => urls, secret: secrets.app, statuses })
    undo.unshift(() => meta.stop())

    return {
      engine,
      seed,
      postgres,
      redis,
      graph,
      proxies: { postgres: toPostgres, redis: toRedis, graph: toGraph, doors: doors.map((d) => d.proxy) },
      receivers: doors.map((door) => door.child),
      workers: workerChildren,
      cast,
      meta,
      db,
      databaseUrl,
      opsUrls,
      opsLogin: `Basic ${Buffer.from(`ops:${secrets.ops}`).toString('base64')}`,
      jwtSecret: secrets.jwt,
      folder,
      async stop({ keepFolder = false } = {}) {
        await runAll(undo)
        if (!keepFolder) await rm(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await runAll(undo)
    throw error
  }
}

/** Each a canary: it must not be found in any log. */
function makeSecrets() {
  const secret = () => `canary-${randomBytes(16).toString('hex')}`
  return {
    app: secret(),
    verify: secret(),
    jwt: secret(),
    ops: secret(),
    accessToken: secret(),
    text: secret(),
    key: randomBytes(32),
  }
}

function through(proxy: TcpProxy, url: string): string {
  return Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(proxy.port) }).href.replace(
    /\/$/,
    '',
  )
}

async function runAll(undo: (() => unknown)[]): Promise<void> {
  for (const step of undo.splice(0)) {
    await step()
  }
}
