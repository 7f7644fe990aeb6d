/** The median, the value that 99 % do not exceed, and the largest. */
export type Quantiles = { p50: number; p99: number; worst: number }

/** Rounded; 0 where there are no values. */
export function quantiles(values: number[]): Quantiles {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0)
  return { p50: at(0.5), p99: at(0.99), worst: at(1) }
}
