import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import pg from 'pg'
import type { Lifetime } from '../../src/lifetime.ts'
import { startRedis } from '../support/redis.ts'
import { connect, type startDatabase } from './database.ts'
import type { Figures } from './figures.ts'
import { loadOf, MOST_PER_SECOND, type Way, warmUp } from './loads.ts'
import { type Bench, measureLoad } from './measure.ts'
import { type Engine, type Options, readEngines, readOptions } from './options.ts'
import { runBench, say, setUp } from './setup.ts'
import { quantile } from './sides.ts'
import { VARIANTS, type World } from './variants.ts'

const HELP = `npm run bench -- beside --other FOLDER [--pairs 20] [--rooms 1000000] [--seconds 2] [--engines redis,postgres]
FOLDER is another checkout of Usher, built with its benchmark (npm run build && npx tsc -p tsconfig.bench.json). The processes
of both run, each with a database and a Redis of its own, and are loaded in turns: one delivery at a time, and as fast as it
goes.`

/** One checkout under test: the connections to its database and to the servers that are measured with it. */
type Side = { bench: Bench; world: World }
type Sides = readonly [Side, Side]
type Pair = [Figures, Figures]

/** Each way of loading has the figures that are compared, and how each of them is read from a measurement. */
const COMPARED = {
  single: {
    'answer, ms, p50': ({ answer_ms }) => answer_ms?.p50,
    'POST to routed, ms, p50': ({ routed_ms }) => routed_ms?.p50,
  },
  full: {
    'routed/s': ({ routed_per_s }) => routed_per_s,
    'CPU s for 1,000, all but the load generator': cpuOf,
    'WAL, bytes': ({ wal_bytes_per_item }) => wal_bytes_per_item,
  },
} satisfies Partial<Record<Way, Record<string, (figures: Figures) => number | null | undefined>>>

const WAYS = Object.keys(COMPARED) as (keyof typeof COMPARED)[]

function cpuOf({ cpu_s_per_1000 }: Figures): number {
  const { 'load generator': _, ...used } = cpu_s_per_1000 ?? {}
  return Object.values(used).reduce((sum, seconds) => sum + seconds, 0)
}

/** `npm run bench -- beside`; see HELP. */
async function beside(lifetime: Lifetime): Promise<void> {
  const { other, pairs, engines, options } = readSettings()
  const { enter } = await setUp(lifetime)
  const own = await enter(options.rooms, 1)
  const theirs = await enterOther(lifetime, other, own, options.rooms)
  for (const engine of engines) {
    if (VARIANTS[engine].needsRedis && own.world.redisUrl === undefined) continue
    const measured = await compare(engine, [own, theirs], pairs, options)
    for (const way of WAYS) process.stdout.write(reportOf(engine, way, measured[way]))
  }
}

/** The other's database, which its own benchmark loads into the same PostgreSQL, and a Redis for it if this checkout has one. */
async function enterOther(lifetime: Lifetime, folder: string, own: Side, rooms: number): Promise<Side> {
  const file = pathToFileURL(join(folder, 'dist/bench/test/bench/database.js')).href
  const module: { startDatabase: typeof startDatabase } = await import(file)
  const server = await module.startDatabase(say)
  lifetime.onStop("the other's postgres", server.stop)
  const databaseUrl = await server.clone(rooms, 'b')
  const [client, pool] = [await connect(databaseUrl), new pg.Pool({ connectionString: databaseUrl, max: 1 })]
  pool.on('error', () => undefined)
  lifetime.onStop("the other's connections", async () => {
    await Promise.all([client.end(), pool.end()])
  })
  const redis = own.world.redisUrl === undefined ? undefined : await startRedis()
  if (redis) lifetime.onStop("the other's redis", redis.stop)
  const servers = own.bench.servers.filter(({ name }) => name !== 'redis')
  if (redis) servers.push({ name: 'redis', pid: redis.pid, withChildren: false })
  const world = { databaseUrl, redisUrl: redis?.url, pool, workerProcesses: 1, root: folder }
  return { bench: { ...own.bench, client, servers }, world }
}

/** Runs both, and loads them in turns; the one that is first changes from pair to pair. */
async function compare(engine: Engine, sides: Sides, pairs: number, options: Options) {
  const start = async ({ bench, world }: Side) => {
    const running = await VARIANTS[engine].start(world)
    await warmUp(bench, running, options, false)
    return { bench, running }
  }
  const [mine, others] = [await start(sides[0]), await start(sides[1])]
  const measured: Record<(typeof WAYS)[number], Pair[]> = { single: [], full: [] }
  for (let pair = 0; pair < pairs; pair++) {
    const isMineFirst = pair % 2 === 0
    for (const way of WAYS) {
      say(`${engine}, ${way}: pair ${pair + 1} of ${pairs}`)
      const measure = ({ bench, running }: typeof mine) =>
        measureLoad(bench, running, loadOf(way, options, MOST_PER_SECOND.usher, false))
      const first = await measure(isMineFirst ? mine : others)
      const second = await measure(isMineFirst ? others : mine)
      measured[way].push(isMineFirst ? [first, second] : [second, first])
    }
  }
  await Promise.all([mine.running.stop(), others.running.stop()])
  return measured
}

function reportOf(engine: Engine, way: (typeof WAYS)[number], pairs: Pair[]): string {
  const compared: Record<string, (figures: Figures) => number | null | undefined> = COMPARED[way]
  const rows = Object.entries(compared).map(([name, read]) => {
    const values = pairs.map((pair) => pair.map((figures) => read(figures) ?? Number.NaN) as [number, number])
    const words = (numbers: number[]) =>
      `${quantile(numbers, 0.5).toFixed(3)} (${quantile(numbers, 0.1).toFixed(3)}-${quantile(numbers, 0.9).toFixed(3)})`
    const columns = [values.map(([a]) => a), values.map(([, b]) => b), values.map(([a, b]) => a / b)]
    return `| ${name} | ${columns.map(words).join(' | ')} |`
  })
  const lost = pairs.flat().reduce((sum, figures) => sum + figures.lost, 0)
  return [
    `\n${VARIANTS[engine].title}, ${way}: ${pairs.length} pairs, median (10-90 %); lost: ${lost}`,
    '| | this checkout | the other | ratio of the pairs |\n|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

function readSettings() {
  const text = (value: string) => ({ type: 'string' as const, default: value })
  const { values } = parseArgs({
    options: {
      ...{ other: text(''), pairs: text('20'), engines: text('redis,postgres') },
      ...{ rooms: text('1000000'), seconds: text('2') },
    },
  })
  if (values.other === '') throw new Error('--other is missing')
  const options = readOptions(['--rooms', values.rooms, '--seconds', values.seconds])
  return {
    other: resolve(values.other),
    pairs: Number(values.pairs),
    engines: readEngines(values.engines),
    options,
  }
}

runBench(beside, HELP)
