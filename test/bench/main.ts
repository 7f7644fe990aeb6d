import { writeFile } from 'node:fs/promises'
import { cpus, loadavg, totalmem } from 'node:os'
import pg from 'pg'
import { createLifetime, type Lifetime, stopOnSignals } from '../../src/lifetime.ts'
import { createLogger } from '../../src/logger.ts'
import { findRedis, startRedis } from '../support/redis.ts'
import { startChild } from './child.ts'
import { connect, forgetDatabases, startDatabase } from './database.ts'
import type { LoadResult, ToGenerator } from './generator.ts'
import { HELP, type Name, type Options, readOptions } from './options.ts'
import { stopProcesses } from './processes.ts'
import { printReport, ratiosOf, type TripsByName } from './report.ts'
import { type Round, runRound } from './rounds.ts'
import { countTrips } from './trips.ts'
import { VARIANTS } from './variants.ts'

const STOP_MS = 30_000

/** Progress goes to stderr, the report to stdout. */
const say = (line: string) => process.stderr.write(`${line}\n`)

/** `npm run bench`: Usher beside the plain design, SQL alone and bare doors, in interleaved rounds. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  const lifetime = createLifetime(createLogger({ logLevel: 'warn' }))
  stopOnSignals(lifetime, { deadlineMs: STOP_MS, exit: (code) => process.exit(code || 130) })
  try {
    await bench(options, lifetime)
  } finally {
    await lifetime.stop(STOP_MS)
  }
}

async function bench(options: Options, lifetime: Lifetime): Promise<void> {
  const load = loadavg()[0] ?? 0
  if (load > 1)
    say(`WARNING: the load average is ${load.toFixed(1)}: others use this machine, the figures will be off`)
  if (options.forget) await forgetDatabases()
  const redis = findRedis() === undefined ? undefined : await startRedis()
  if (redis) lifetime.onStop('redis', redis.stop)
  const only = options.only.filter((name) => redis || !needsRedis(name))
  if (only.length < options.only.length) {
    say('WARNING: redis-server is not on the PATH: what needs it is left out')
  }
  const server = await startDatabase(say)
  lifetime.onStop('postgres', server.stop)
  lifetime.onStop('processes', stopProcesses)
  say(JSON.stringify(server.settings))
  const databaseUrl = await server.clone(options.rooms)
  const client = await connect(databaseUrl)
  lifetime.onStop('connection', () => client.end())
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 })
  pool.on('error', (error) => say(String(error)))
  lifetime.onStop('pool', () => pool.end())
  const generator = startChild<ToGenerator, LoadResult>('generator.js')
  lifetime.onStop('load generator', generator.stop)

  const servers = [{ name: 'postgres', pid: server.pid, withChildren: true }]
  if (redis) servers.push({ name: 'redis', pid: redis.pid, withChildren: false })
  const world = { databaseUrl, redisUrl: redis?.url, pool, workerProcesses: options.workers }
  const parts = { client, generator, servers }
  const rounds: Round[] = []
  for (let i = 0; i < options.rounds; i++) {
    rounds.push(await runRound(i, { ...options, only }, parts, world, say))
  }
  const trips: TripsByName = {}
  for (const name of only) {
    say(`round trips: ${name}`)
    const counted = await countTrips(name, options, parts, world)
    if (counted) trips[name] = counted
  }
  process.stdout.write(`${printReport(rounds, only, trips)}\n`)
  if (options.json)
    await writeFile(
      options.json,
      `${JSON.stringify(everything(options, server.settings, rounds, trips), null, 1)}\n`,
    )
}

const needsRedis = (name: Name) => name !== 'sql' && VARIANTS[name].needsRedis

function everything(options: Options, settings: Record<string, string>, rounds: Round[], trips: TripsByName) {
  const machine = {
    ...{ at: new Date().toISOString(), node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model },
    memory_gb: Math.round(totalmem() / 1e9),
  }
  return { machine, settings, options, ratios: ratiosOf(rounds), trips_per_item: trips, rounds }
}

main().catch((error: Error) => {
  say(`${error.stack ?? error.message}\n${HELP}`)
  process.exitCode = 1
})
