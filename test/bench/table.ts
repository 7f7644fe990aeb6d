import { readFileSync } from 'node:fs'
import { type Figures, type Spread, spreadOf } from './figures.ts'
import type { Way } from './loads.ts'
import type { Name } from './options.ts'
import { RATIOS, type Ratios, type TripsByName } from './report.ts'
import type { Round } from './rounds.ts'

/** `npm run bench -- table FILE.json`: the tables of docs/speed.md from what `npm run bench -- --json FILE.json` wrote. */
type Everything = {
  machine: { cpus: number; cpu: string; node: string; at: string }
  options: { rooms: number; rounds: number; seconds: number; connections: number; rate: number; only: Name[] }
  ratios: Ratios
  trips_per_item: TripsByName
  rounds: Round[]
}

const TITLES: Record<Name, string> = {
  redis: '**Usher, queue on Redis**',
  'redis-one': '**Usher, queue on Redis**, one process',
  'redis-all': '**Usher, queue on Redis**, `npm start`',
  postgres: '**Usher, PostgreSQL only**',
  'postgres-one': '**Usher, PostgreSQL only**, one process',
  'postgres-all': '**Usher, PostgreSQL only**, `npm start`',
  'postgres-in-express': '**Usher, PostgreSQL only**, without the short cut',
  plain: 'the plain design',
  'plain-durable': 'the plain design, Redis `appendfsync always`',
  sql: 'SQL alone',
  express: 'bare Express',
  http: 'bare `node:http`',
}

const [path] = process.argv.slice(2)
if (path === undefined) throw new Error('usage: npm run bench -- table FILE.json')
const { machine, options, ratios, trips_per_item, rounds } = JSON.parse(
  readFileSync(path, 'utf8'),
) as Everything

const number = (value: number, digits: number) =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })

function text(spread: Spread | undefined, digits: number): string {
  if (!spread) return ''
  const { median, min, max } = spread
  return min === max
    ? number(median, digits)
    : `${number(median, digits)} (${number(min, digits)}-${number(max, digits)})`
}

const cell = (name: Name, way: Way, of: (f: Figures) => number | null | undefined, digits = 0) =>
  text(spreadOf(rounds.map((round) => round.variants[name]?.[way]).map((f) => f && of(f))), digits)

/** Median only, for latencies: `p50 / p99`. */
function pair(name: Name, way: Way, key: 'answer_ms' | 'routed_ms'): string {
  const of = (part: 'p50' | 'p99') => spreadOf(rounds.map((r) => r.variants[name]?.[way]?.[key]?.[part]))
  const [p50, p99] = [of('p50'), of('p99')]
  return p50 && p99 ? `${number(p50.median, 1)} / ${number(p99.median, 1)}` : ''
}

const cpu = (f: Figures) => f.cpu_s_per_1000 && Object.values(f.cpu_s_per_1000).reduce((sum, s) => sum + s, 0)
const trips = (name: Name) => trips_per_item[name]?.round_trips.toFixed(2) ?? ''

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

const names = options.only.filter((name) => rounds.some((round) => round.variants[name]))
const ushers = names.filter((name) => /^(redis|postgres)/.test(name))
const loads = spreadOf(rounds.map((round) => round.load_average))
const lines = [
  `${number(options.rooms, 0)} chatrooms, ${options.rounds} rounds of ${options.seconds} s each, median (range); ` +
    `${machine.cpus} x ${machine.cpu}, Node ${machine.node}, ${machine.at.slice(0, 10)}, load average before a round ${text(loads, 1)}.`,
  `As fast as it goes, ${options.connections} connections:`,
  table(
    [
      'variant',
      'acknowledged/s',
      'routed/s',
      'routed/s with 3 statuses to 1 message',
      'CPU s for 1,000',
      'WAL bytes',
      'round trips',
    ],
    names.map((name) => [
      ...[
        TITLES[name],
        cell(name, 'full', (f) => f.acknowledged_per_s),
        cell(name, 'full', (f) => f.routed_per_s),
      ],
      ...[cell(name, 'statuses', (f) => f.routed_per_s), cell(name, 'full', cpu, 2)],
      ...[cell(name, 'full', (f) => f.wal_bytes_per_item), trips(name)],
    ]),
  ),
  `Latency in ms, p50 / p99:`,
  table(
    [
      'variant',
      `answer at ${number(options.rate, 0)}/s`,
      `POST to routed at ${number(options.rate, 0)}/s`,
      'answer, one at a time',
      'POST to routed, one at a time',
    ],
    names
      .filter((name) => name !== 'sql')
      .map((name) => [
        ...[TITLES[name], pair(name, 'rate', 'answer_ms'), pair(name, 'rate', 'routed_ms')],
        ...[pair(name, 'single', 'answer_ms'), pair(name, 'single', 'routed_ms')],
      ]),
  ),
  table(
    ['ratio, side by side in each round', ...ushers.map((name) => TITLES[name])],
    (Object.keys(RATIOS) as (keyof typeof RATIOS)[]).map((kind) => [
      RATIOS[kind],
      ...ushers.map((name) => text(ratios[kind][name], 2)),
    ]),
  ),
]
process.stdout.write(`${lines.join('\n\n')}\n`)
