import type { Batches } from './batches.ts'
import type { Cpu } from './meters.ts'

export type Latency = { p50: number; p99: number; max: number }

/** The figures of one measurement. Rates are per second, latencies in ms; null: does not apply, or is not known. */
export type Figures = {
  acknowledged: number
  /** Answers other than 200, requests without an answer, and messages answered 200 that were not stored in the end. */
  refused: number
  unanswered: number
  lost: number
  acknowledged_per_s: number | null
  /** Acknowledged items, divided by the time from the first POST to the commit that routed the last item. */
  routed_per_s: number | null
  answer_ms: Latency | null
  /** For every message, the time from the moment its POST was due to the commit that routed it. */
  routed_ms: Latency | null
  /** CPU seconds by process for 1,000 acknowledged items, until all were routed. */
  cpu_s_per_1000: Cpu
  /** Largest resident memory by process. */
  memory_mb: Record<string, number> | null
  wal_bytes_per_item: number | null
  batches: Batches | null
  /** The generator had no more requests, or the inbox no more rows, before the time was over. */
  ran_out: boolean
}

export type Spread = { median: number; min: number; max: number; values: number[] }

/** Median and range; undefined when there is nothing to summarise. */
export function spreadOf(values: (number | null | undefined)[]): Spread | undefined {
  const sorted = values.filter((v) => v !== null && v !== undefined).sort((a, b) => a - b)
  const [first] = sorted
  if (first === undefined) return undefined
  const middle = (sorted.length - 1) / 2
  const median = ((sorted[Math.floor(middle)] ?? first) + (sorted[Math.ceil(middle)] ?? first)) / 2
  return {
    median,
    min: first,
    max: sorted.at(-1) ?? first,
    values: values.filter((v) => v !== null && v !== undefined),
  }
}

/** Percentiles by nearest rank. */
export function latencyOf(values: number[]): Latency | null {
  if (values.length === 0) return null
  const sorted = Float64Array.from(values).sort()
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}
