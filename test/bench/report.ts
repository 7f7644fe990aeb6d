import type { Trips } from './count-trips.ts'
import { type Figures, type Spread, spreadOf } from './figures.ts'
import type { Way } from './loads.ts'
import type { Name } from './options.ts'
import type { Round } from './rounds.ts'

export type TripsByName = Partial<Record<Name, Trips>>
/** Ratios of rates at full speed and, with `single_`, of median latencies of one delivery at a time. */
export const RATIOS = {
  to_plain: 'routed/s, to the plain design',
  to_sql_alone: 'routed/s, to SQL alone',
  to_split_roles: 'routed/s, to a server and workers started separately',
  to_bare_express: 'acknowledged/s, to bare Express',
  single_answer_to_plain: 'one at a time: time to the answer, to the plain design',
  single_routed_to_plain: 'one at a time: POST to routed, to the plain design',
  single_answer_to_durable: 'one at a time: time to the answer, to the plain design on a durable Redis',
  single_routed_to_durable: 'one at a time: POST to routed, to the plain design on a durable Redis',
}
export type Ratios = Record<keyof typeof RATIOS, Partial<Record<Name, Spread>>>

const USHER: Name[] = ['redis', 'redis-one', 'redis-all', 'postgres', 'postgres-one', 'postgres-all']
const WAYS: Record<Way, string> = {
  full: 'As fast as it goes, messages only',
  statuses: 'As fast as it goes, 3 statuses to 1 message',
  rate: 'At a fixed rate (latencies count from when a request was due)',
  single: 'One delivery at a time',
}

/** The ratio within each round, then the median over the rounds. */
export function ratiosOf(rounds: Round[]): Ratios {
  const ratio = (
    of: (f: Figures) => number | null | undefined,
    other: Name | ((name: Name) => Name),
    way: Way = 'full',
  ) =>
    Object.fromEntries(
      USHER.flatMap((name) => {
        const against = typeof other === 'string' ? other : other(name)
        if (against === name) return []
        const values = rounds.map(({ variants }) => {
          const [mine, theirs] = [variants[name]?.[way], variants[against]?.[way]]
          const [a, b] = [mine && of(mine), theirs && of(theirs)]
          return a && b ? a / b : null
        })
        const spread = spreadOf(values)
        return spread ? [[name, spread]] : []
      }),
    )
  return {
    to_plain: ratio((f) => f.routed_per_s, 'plain'),
    to_sql_alone: ratio((f) => f.routed_per_s, 'sql'),
    to_split_roles: ratio((f) => f.routed_per_s, splitOf),
    to_bare_express: ratio((f) => f.acknowledged_per_s, 'express'),
    single_answer_to_plain: ratio((f) => f.answer_ms?.p50, 'plain', 'single'),
    single_routed_to_plain: ratio((f) => f.routed_ms?.p50, 'plain', 'single'),
    single_answer_to_durable: ratio((f) => f.answer_ms?.p50, 'plain-durable', 'single'),
    single_routed_to_durable: ratio((f) => f.routed_ms?.p50, 'plain-durable', 'single'),
  }
}

/** The variant on the same queue whose server and workers are started separately. */
const splitOf = (name: Name): Name => (name.startsWith('redis') ? 'redis' : 'postgres')

type Column = { head: string; of: (f: Figures) => number | null | undefined; digits: number; ways: Way[] }

const ALL: Way[] = ['full', 'statuses', 'rate', 'single']
const FAST: Way[] = ['full', 'statuses']
const sum = (cpu: Figures['cpu_s_per_1000']) => cpu && Object.values(cpu).reduce((a, b) => a + b, 0)
const COLUMNS: Column[] = [
  { head: 'acknowledged/s', of: (f) => f.acknowledged_per_s, digits: 0, ways: FAST },
  { head: 'routed/s', of: (f) => f.routed_per_s, digits: 0, ways: FAST },
  { head: 'answer p50 ms', of: (f) => f.answer_ms?.p50, digits: 1, ways: ALL },
  { head: 'p99', of: (f) => f.answer_ms?.p99, digits: 1, ways: ALL },
  { head: 'max', of: (f) => f.answer_ms?.max, digits: 0, ways: ALL },
  { head: 'POST to routed p50 ms', of: (f) => f.routed_ms?.p50, digits: 1, ways: ALL },
  { head: 'p99', of: (f) => f.routed_ms?.p99, digits: 1, ways: ALL },
  { head: 'max', of: (f) => f.routed_ms?.max, digits: 0, ways: ALL },
  { head: 'CPU s/1,000', of: (f) => sum(f.cpu_s_per_1000), digits: 3, ways: ALL },
  { head: 'WAL bytes', of: (f) => f.wal_bytes_per_item, digits: 0, ways: FAST },
  { head: 'insert', of: (f) => f.batches?.insert, digits: 0, ways: ALL },
  { head: 'routing batch', of: (f) => f.batches?.routing, digits: 0, ways: ALL },
  { head: 'not 200', of: (f) => f.refused + f.unanswered, digits: 0, ways: ALL },
  { head: 'lost', of: (f) => f.lost, digits: 0, ways: ALL },
]

/** The tables on stdout: one for each way of loading, medians with their range; then CPU by process, and ratios. */
export function printReport(rounds: Round[], names: Name[], trips: TripsByName): string {
  const sections = (Object.keys(WAYS) as Way[]).flatMap((way) => {
    const measured = names.filter((name) => rounds.some((r) => r.variants[name]?.[way]))
    if (measured.length === 0) return []
    const columns = COLUMNS.filter((c) => c.ways.includes(way))
    const rows = measured.map((name) => {
      const figures = rounds.flatMap((r) => r.variants[name]?.[way] ?? [])
      return [name, ...columns.map((c) => text(spreadOf(figures.map(c.of)), c.digits))]
    })
    return [WAYS[way], table(['', ...columns.map((c) => c.head)], rows), cpuLines(rounds, measured, way)]
  })
  return [...sections, tripLines(trips), ratioLines(ratiosOf(rounds))].join('\n\n')
}

function cpuLines(rounds: Round[], names: Name[], way: Way): string {
  const lines = names.map((name) => {
    const figures = rounds.flatMap((r) => r.variants[name]?.[way] ?? [])
    const parts = Object.keys(figures[0]?.cpu_s_per_1000 ?? {}).map((process) => {
      const cpu = spreadOf(figures.map((f) => f.cpu_s_per_1000?.[process]))
      const memory = spreadOf(figures.map((f) => f.memory_mb?.[process]))
      return `${process} ${cpu?.median.toFixed(3)}${memory ? ` (${memory.median} MB)` : ''}`
    })
    return `  ${name}: ${parts.join(', ')}`
  })
  return ['CPU seconds for 1,000 (largest memory), by process:', ...lines].join('\n')
}

function tripLines(trips: TripsByName): string {
  const lines = Object.entries(trips).map(
    ([name, t]) =>
      `  ${name}: ${t.round_trips.toFixed(3)} round trips, ${t.statements.toFixed(3)} statements`,
  )
  return [
    'To PostgreSQL for one message at full speed, counted by a proxy in a run of its own:',
    ...lines,
  ].join('\n')
}

function ratioLines(ratios: Ratios): string {
  const lines = Object.entries(ratios).flatMap(([kind, byName]) =>
    Object.entries(byName).map(([name, spread]) => `  ${kind} ${name}: ${text(spread, 2)}`),
  )
  return ['Ratios, side by side in each round, then the median (range):', ...lines].join('\n')
}

function text(spread: Spread | undefined, digits: number): string {
  if (!spread) return ''
  const number = (value: number) =>
    value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  const { median, min, max } = spread
  return min === max ? number(median) : `${number(median)} (${number(min)}-${number(max)})`
}

function table(head: string[], rows: string[][]): string {
  const widths = head.map((cell, i) => Math.max(cell.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (cells: string[]) =>
    cells.map((c, i) => (i === 0 ? c.padEnd(widths[i] ?? 0) : c.padStart(widths[i] ?? 0))).join('  ')
  return [line(head), widths.map((w) => '-'.repeat(w)).join('  '), ...rows.map(line)].join('\n')
}
