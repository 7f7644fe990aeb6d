import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import type { Lifetime } from '../../src/lifetime.ts'
import { spreadOf } from './figures.ts'
import { drawGrowth } from './growth-chart.ts'
import { churnInbox, insertMessages } from './growth-load.ts'
import { loadOf, MOST_PER_SECOND, warmUp } from './loads.ts'
import { type Bench, measureLoad } from './measure.ts'
import type { Options } from './options.ts'
import { runBench, say, setUp } from './setup.ts'
import { VARIANTS, type World } from './variants.ts'

/** One bar of the chart: medians over the rounds. */
export type GrowthCase = {
  label: string
  rooms: number
  workers: number
  acknowledged_per_s: number
  routed_per_s: number
  answer_p99_ms: number
  routed_p99_ms: number
}

const HELP = `npm run bench -- growth [--sizes 10000,100000,1000000,5000000] [--base 1000000] [--more 1000000]
  [--churn 7200000] [--workers 2,4] [--rounds 3] [--seconds 10] [--rate 2000] [--engine redis|postgres]
  [--chart docs/growth.svg] [--json FILE] [--add]
--add: keeps the cases that FILE has, and measures only --sizes; --base: chatrooms of the cases after --more messages, after --churn deliveries through the inbox (7.2 million: an hour
at 2,000/s) and with several --workers processes`

type Settings = ReturnType<typeof readSettings>

/** `npm run bench -- growth`: does what Usher costs grow with the tables, or with use? */
async function growth(lifetime: Lifetime): Promise<void> {
  const settings = readSettings()
  const setup = await setUp(lifetime)
  const cases = settings.add && settings.json ? await readCases(settings.json) : []
  const add = async (
    label: string,
    rooms: number,
    workers: number,
    wear?: (bench: Bench) => Promise<void>,
  ) => {
    say(label)
    const { bench, world } = await setup.enter(rooms, workers)
    await wear?.(bench)
    cases.push(await measureCase({ label, rooms, workers }, settings, bench, world))
    await save(cases, settings)
  }
  const { base, more, churn } = settings
  for (const rooms of settings.sizes) await add(`${short(rooms)} chatrooms`, rooms, 1)
  if (settings.add) return
  await add(`${short(base)}, after ${short(more)} messages`, base, 1, ({ client }) =>
    insertMessages(client, more, base),
  )
  await add(`${short(base)}, after ${short(churn)} deliveries`, base, 1, ({ client }) =>
    churnInbox(client, churn),
  )
  for (const workers of settings.workers)
    await add(`${short(base)}, ${workers} worker processes`, base, workers)
}

async function readCases(path: string): Promise<GrowthCase[]> {
  return JSON.parse(await readFile(path, 'utf8')).cases
}

/** What there is so far, after each case: the whole takes an hour. Sizes first, whenever they were measured. */
async function save(measured: GrowthCase[], settings: Settings): Promise<void> {
  const isSize = ({ label }: GrowthCase) => label.endsWith('chatrooms')
  const sizes = measured.filter(isSize).sort((a, b) => a.rooms - b.rooms)
  const cases = [...sizes, ...measured.filter((c) => !isSize(c))]
  process.stdout.write(`${table(cases)}\n\n`)
  await mkdir(dirname(settings.chart), { recursive: true })
  await writeFile(settings.chart, drawGrowth(cases, settings.rate))
  if (settings.json) await writeFile(settings.json, `${JSON.stringify({ settings, cases }, null, 1)}\n`)
}

async function measureCase(
  which: Pick<GrowthCase, 'label' | 'rooms' | 'workers'>,
  { engine, rounds, seconds, rate }: Settings,
  bench: Bench,
  world: World,
): Promise<GrowthCase> {
  const options: Options = {
    ...{ rooms: which.rooms, rounds, seconds, rate, connections: 128, workers: which.workers },
    ...{ only: [], json: undefined, locale: undefined, forget: false },
  }
  const running = await VARIANTS[engine].start(world)
  try {
    await warmUp(bench, running, options, false)
    const full = []
    const steady = []
    for (let i = 0; i < rounds; i++) {
      say(`  round ${i + 1} of ${rounds}`)
      full.push(await measureLoad(bench, running, loadOf('full', options, MOST_PER_SECOND.usher, false)))
      steady.push(await measureLoad(bench, running, loadOf('rate', options, MOST_PER_SECOND.usher, false)))
    }
    const median = (values: (number | null | undefined)[]) => spreadOf(values)?.median ?? Number.NaN
    return {
      ...which,
      acknowledged_per_s: median(full.map((f) => f.acknowledged_per_s)),
      routed_per_s: median(full.map((f) => f.routed_per_s)),
      answer_p99_ms: median(steady.map((f) => f.answer_ms?.p99)),
      routed_p99_ms: median(steady.map((f) => f.routed_ms?.p99)),
    }
  } finally {
    await running.stop()
  }
}

function readSettings() {
  const text = (value: string) => ({ type: 'string' as const, default: value })
  const { values } = parseArgs({
    options: {
      ...{ sizes: text('10000,100000,1000000,5000000'), base: text('1000000'), more: text('1000000') },
      ...{
        churn: text('7200000'),
        workers: text('2,4'),
        rounds: text('3'),
        seconds: text('10'),
        rate: text('2000'),
      },
      ...{ engine: text('redis'), chart: text('docs/growth.svg'), json: { type: 'string' } },
      add: { type: 'boolean', default: false },
    },
  })
  const whole = (word: string | undefined) => {
    const number = Number(word)
    if (!Number.isInteger(number) || number < 1) throw new Error(`"${word}" is not a whole number above 0`)
    return number
  }
  const { engine } = values
  if (engine !== 'redis' && engine !== 'postgres') throw new Error('--engine must be redis or postgres')
  return {
    sizes: values.sizes.split(',').map(whole),
    workers: values.workers.split(',').map(whole),
    ...{ base: whole(values.base), more: whole(values.more), churn: whole(values.churn) },
    ...{ rounds: whole(values.rounds), seconds: whole(values.seconds), rate: whole(values.rate) },
    ...{ engine: engine as 'redis' | 'postgres', chart: values.chart, json: values.json, add: values.add },
  }
}

function table(cases: GrowthCase[]): string {
  const number = (value: number, digits = 0) =>
    value.toLocaleString('en-US', { maximumFractionDigits: digits })
  return [
    '| chatrooms | acknowledged/s | routed/s | answer p99 | POST to routed p99 |',
    '|---|---|---|---|---|',
    ...cases.map(
      (c) =>
        `| ${c.label} | ${number(c.acknowledged_per_s)} | ${number(c.routed_per_s)} | ${number(c.answer_p99_ms, 1)} ms | ${number(c.routed_p99_ms, 1)} ms |`,
    ),
  ].join('\n')
}

function short(count: number): string {
  if (count >= 1e6) return `${count / 1e6} million`
  return count >= 1e3 ? `${count / 1e3} thousand` : String(count)
}

runBench(growth, HELP)
