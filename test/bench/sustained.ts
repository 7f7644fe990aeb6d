import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type pg from 'pg'
import type { Lifetime } from '../../src/lifetime.ts'
import { latencyOf, spreadOf } from './figures.ts'
import type { LoadResult } from './generator.ts'
import { type Bench, newRun, readRouted } from './measure.ts'
import { readPeakMemory, readWal } from './meters.ts'
import { readEngines } from './options.ts'
import { runBench, setUp } from './setup.ts'
import { type Running, VARIANTS } from './variants.ts'

const HELP = `npm run bench -- sustained [--minutes 10] [--share 0.7] [--rate N] [--engines redis,postgres] [--rooms 1000000]
  [--ledger 0] [--connections 128]
Each engine, a server and a worker apart: as fast as it goes for so many minutes, then at --share of the median minute (or at
--rate alone). A line for each minute. With --ledger so many messages are in the ledger beforehand.`

const MINUTE_MS = 60_000
const DRAIN_MS = 600_000
const POLL_MS = 200

type Settings = ReturnType<typeof readSettings>
type Lab = { bench: Bench; running: Running; settings: Settings }
/** Routed messages a second in each minute. */
type Minutes = number[]

const print = (line: string) => void process.stdout.write(`${line}\n`)

/** `npm run bench -- sustained`; see HELP. */
async function sustained(lifetime: Lifetime): Promise<void> {
  const settings = readSettings()
  const { enter, redisUrl } = await setUp(lifetime)
  for (const engine of settings.engines) {
    if (VARIANTS[engine].needsRedis && redisUrl === undefined) continue
    let { rate } = settings
    if (rate === undefined) {
      const routed = await measure(enter, engine, settings, undefined)
      rate = Math.round((spreadOf(routed.slice(0, -1))?.median ?? routed[0] ?? 0) * settings.share)
    }
    await measure(enter, engine, settings, rate)
  }
}

/** Loads an engine on a fresh copy of the database, without a rate as fast as it goes, and prints what each minute was like. */
async function measure(
  enter: Awaited<ReturnType<typeof setUp>>['enter'],
  engine: Settings['engines'][number],
  settings: Settings,
  rate: number | undefined,
): Promise<Minutes> {
  const { bench, world } = await enter(settings.rooms, 1, settings.ledger)
  const running = await VARIANTS[engine].start(world)
  try {
    print(
      `\n${VARIANTS[engine].title}, ${rate === undefined ? 'as fast as it goes' : `${rate} messages a second`}`,
    )
    return await runLoad({ bench, running, settings }, rate)
  } finally {
    await running.stop()
  }
}

async function runLoad({ bench, running, settings }: Lab, rate: number | undefined): Promise<Minutes> {
  const { client, generator } = bench
  const { rooms, connections, minutes, most } = settings
  const seconds = minutes * 60
  const batch = { run: newRun(), mix: 'messages' as const, rooms, count: Math.ceil((rate ?? most) * seconds) }
  await generator.ask({
    prepare: {
      ...batch,
      port: running.port,
      connections,
      seconds,
      ...(rate !== undefined && { rate }),
      isLong: true,
    },
  })
  const wal = await readWal(client)
  const result = await generator.ask({ go: true })
  await drain(running)
  const routed = await readRouted(client, batch)
  const counts = printMinutes(result, routed.messages)
  const lost = result.answerMs.reduce(
    (sum, took, place) => sum + Number(took > 0 && !routed.messages.has(place)),
    0,
  )
  print(
    `${result.accepted} answered 200, ${result.refused + result.unanswered} not, ${lost} lost; ` +
      `${(((await readWal(client)) - wal) / result.accepted).toFixed(0)} bytes of WAL a message`,
  )
  print(`largest memory, MB: ${JSON.stringify(readPeakMemory(running.processes))}`)
  await printTables(client)
  return counts
}

async function drain({ drained }: Running): Promise<void> {
  const deadline = Date.now() + DRAIN_MS
  for (; drained && !(await drained()); await sleep(POLL_MS))
    if (Date.now() > deadline) throw new Error(`not all was routed within ${DRAIN_MS / 1_000} s`)
}

/** A message counts in the minute in which it was due, for its latencies, and in which it was routed, for the throughput. */
function printMinutes({ startedAt, sentAt, answerMs }: LoadResult, routed: Map<number, number>): Minutes {
  const minutes: Minute[] = []
  const minuteOf = (at: number) => {
    const minute = Math.floor((at - startedAt) / MINUTE_MS)
    while (minutes.length <= minute) minutes.push({ answers: [], waits: [], routed: 0 })
    return minutes[minute]
  }
  for (const [place, took] of answerMs.entries())
    if (took > 0) minuteOf(sentAt[place] ?? 0)?.answers.push(took)
  for (const [place, at] of routed) {
    const minute = minuteOf(at)
    if (minute) minute.routed += 1
    minuteOf(sentAt[place] ?? 0)?.waits.push(at - (sentAt[place] ?? 0))
  }
  print(
    '| minute | answered/s | routed/s | answer, ms: p50 / p99 / max | POST to routed, ms |\n|---|---|---|---|---|',
  )
  for (const [i, { answers, waits, routed }] of minutes.entries())
    print(
      `| ${i + 1} | ${perSecond(answers.length)} | ${perSecond(routed)} | ${wordsOf(answers)} | ${wordsOf(waits)} |`,
    )
  return minutes.map(({ routed }) => routed / 60)
}

type Minute = { answers: number[]; waits: number[]; routed: number }

const perSecond = (count: number) => (count / 60).toFixed(0)

function wordsOf(values: number[]): string {
  const latency = latencyOf(values)
  return latency ? [latency.p50, latency.p99, latency.max].map((ms) => ms.toFixed(1)).join(' / ') : ''
}

async function printTables(client: pg.Client): Promise<void> {
  const { rows } = await client.query(
    `select relname, n_live_tup as live, n_dead_tup as dead, autovacuum_count as vacuums, autoanalyze_count as analyzes,
       pg_size_pretty(pg_table_size(relid)) as rows, pg_size_pretty(pg_indexes_size(relid)) as indexes
     from pg_stat_user_tables where n_tup_ins + n_tup_upd + n_tup_del > 1000 order by pg_total_relation_size(relid) desc limit 12`,
  )
  print('| table | rows | dead | autovacuum, analyze | size, indexes |\n|---|---|---|---|---|')
  for (const { relname, live, dead, vacuums, analyzes, rows: size, indexes } of rows)
    print(`| ${relname} | ${live} | ${dead} | ${vacuums}, ${analyzes} | ${size}, ${indexes} |`)
}

function readSettings() {
  const text = (value: string) => ({ type: 'string' as const, default: value })
  const { values } = parseArgs({
    options: {
      ...{ minutes: text('10'), share: text('0.7'), rate: { type: 'string' as const } },
      ...{ engines: text('redis,postgres'), rooms: text('1000000'), ledger: text('0') },
      ...{ connections: text('128'), most: text('8000') },
    },
  })
  const { rate, engines, minutes, share, rooms, ledger, connections, most } = values
  return {
    ...{
      minutes: Number(minutes),
      share: Number(share),
      rate: rate === undefined ? undefined : Number(rate),
    },
    ...{ rooms: Number(rooms), ledger: Number(ledger), connections: Number(connections), most: Number(most) },
    engines: readEngines(engines),
  }
}

runBench(sustained, HELP)
