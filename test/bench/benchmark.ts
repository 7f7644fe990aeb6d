import { writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import type { Lifetime } from '../../src/lifetime.ts'
import { forgetDatabases } from './database.ts'
import { HELP, type Name, type Options, readOptions, STDOUT } from './options.ts'
import { printReport, ratiosOf, type TripsByName } from './report.ts'
import { type Round, runRound } from './rounds.ts'
import { runBench, say, setUp } from './setup.ts'
import { countTrips } from './trips.ts'
import { VARIANTS } from './variants.ts'

/** `npm run bench`: Usher beside the plain design, SQL alone and bare receivers, in interleaved rounds. */
async function bench(lifetime: Lifetime): Promise<void> {
  const wanted = readOptions(process.argv.slice(2))
  if (wanted.forget) await forgetDatabases()
  const setup = await setUp(lifetime, wanted.locale)
  const only = wanted.only.filter((name) => setup.redisUrl !== undefined || !needsRedis(name))
  const options = { ...wanted, only }
  const { bench, world } = await setup.enter(options.rooms, options.workers)
  const rounds: Round[] = []
  const trips: TripsByName = {}
  const run = async () => {
    for (let i = 0; i < options.rounds; i++) rounds.push(await runRound(i, options, bench, world, say))
    for (const name of only) {
      say(`round trips: ${name}`)
      const counted = await countTrips(name, options, bench, world)
      if (counted) trips[name] = counted
    }
  }
  // Finished rounds are reported even if a later one fails.
  await run().finally(() => report(options, setup.settings, rounds, trips))
}

async function report(
  options: Options,
  settings: Record<string, string>,
  rounds: Round[],
  trips: TripsByName,
) {
  if (rounds.length === 0) return
  if (options.json !== STDOUT) process.stdout.write(`${printReport(rounds, options.only, trips)}\n`)
  if (!options.json) return
  const everything = {
    ...{ machine: machine(), settings, options, ratios: ratiosOf(rounds) },
    ...{ trips_per_item: trips, rounds },
  }
  const text = `${JSON.stringify(everything, null, 1)}\n`
  if (options.json === STDOUT) process.stdout.write(text)
  else await writeFile(options.json, text)
}

const needsRedis = (name: Name) => name !== 'sql' && VARIANTS[name].needsRedis

function machine() {
  const { length, 0: first } = cpus()
  const memory = Math.round(totalmem() / 1e9)
  return {
    at: new Date().toISOString(),
    node: process.version,
    cpus: length,
    cpu: first?.model,
    memory_gb: memory,
  }
}

runBench(bench, HELP)
