import { loadavg } from 'node:os'
import pg from 'pg'
import { createLifetime, type Lifetime, stopOnSignals } from '../../src/lifetime.ts'
import { createLogger } from '../../src/logger.ts'
import { findRedis, startRedis } from '../support/redis.ts'
import { startChild } from './child.ts'
import { connect, startDatabase } from './database.ts'
import type { LoadResult, ToGenerator } from './generator.ts'
import type { Bench } from './measure.ts'
import { stopProcesses } from './processes.ts'
import type { World } from './variants.ts'

const STOP_MS = 30_000

export type Setup = {
  settings: Record<string, string>
  redisUrl: string | undefined
  /** Replaces the database by a fresh copy with this number of rooms; `ledger`: and of messages that are in the ledger already. */
  enter(rooms: number, workerProcesses: number, ledger?: number): Promise<{ bench: Bench; world: World }>
}

/** Progress and warnings go to stderr, the report to stdout. */
export const say = (line: string) => void process.stderr.write(`${line}\n`)

/** Runs a benchmark and releases everything it started: at the end, on a failure and on Ctrl-C. */
export function runBench(bench: (lifetime: Lifetime) => Promise<void>, help: string): void {
  const lifetime = createLifetime(createLogger({ logLevel: 'warn' }))
  stopOnSignals(lifetime, { deadlineMs: STOP_MS, exit: (code) => process.exit(code || 130) })
  let interrupted = false
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      interrupted = true
    })
  }
  bench(lifetime)
    .catch((error: Error) => {
      // Errors that the release causes say nothing.
      if (interrupted) return
      say(`${error.stack ?? error.message}\n\n${help}`)
      process.exitCode = 1
    })
    .finally(() => lifetime.stop(STOP_MS))
}

/** Starts what every benchmark needs: PostgreSQL, Redis if it is installed, and the load generator. `locale`: as in `localeSql`. */
export async function setUp(lifetime: Lifetime, locale?: string): Promise<Setup> {
  const load = loadavg()[0] ?? 0
  if (load > 1) {
    say(`WARNING: the load average is ${load.toFixed(1)}: others use this machine, the figures will be off`)
  }
  const redis = findRedis() === undefined ? undefined : await startRedis()
  if (redis) lifetime.onStop('redis', redis.stop)
  else say('WARNING: redis-server is not on the PATH: what needs it is left out')
  const server = await startDatabase(say, locale)
  lifetime.onStop('postgres', server.stop)
  lifetime.onStop('processes', stopProcesses)
  const generator = startChild<ToGenerator, LoadResult>('generator.js')
  lifetime.onStop('load generator', generator.stop)
  say(JSON.stringify(server.settings))

  const servers = [{ name: 'postgres', pid: server.pid, withChildren: true }]
  if (redis) servers.push({ name: 'redis', pid: redis.pid, withChildren: false })
  let leave = async () => {}
  lifetime.onStop('connections', () => leave())
  return {
    settings: server.settings,
    redisUrl: redis?.url,
    async enter(rooms, workerProcesses, ledger) {
      await leave()
      const databaseUrl = await server.clone(rooms, 'a', ledger)
      const client = await connect(databaseUrl)
      const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 })
      pool.on('error', () => undefined)
      leave = async () => {
        leave = async () => {}
        await Promise.all([client.end(), pool.end()])
      }
      const world = { databaseUrl, redisUrl: redis?.url, pool, workerProcesses }
      return { bench: { client, generator, servers }, world }
    },
  }
}
