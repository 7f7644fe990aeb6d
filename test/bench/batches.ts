import type { Process } from './processes.ts'

/** How many deliveries one insert, and how many messages one routing transaction, took on average. */
export type Batches = { insert: number | null; routing: number | null }

type Totals = Record<keyof typeof METRICS, { sum: number; count: number }>

const METRICS = { insert: 'usher_inbox_insert_deliveries', routing: 'usher_routing_batch_messages' } as const

/** Reads Usher's own metrics; undefined when these processes are not Usher. */
export async function readBatches(processes: Process[]): Promise<Totals | undefined> {
  const urls = processes.flatMap((p) => p.opsUrl ?? [])
  if (urls.length === 0) return undefined
  const texts = await Promise.all(urls.map(async (url) => (await fetch(`${url}/metrics`)).text()))
  const total = (metric: string, part: 'sum' | 'count') =>
    texts.reduce(
      (sum, text) => sum + Number(new RegExp(`^${metric}_${part} (\\d+)`, 'm').exec(text)?.[1] ?? 0),
      0,
    )
  const totals = (metric: string) => ({ sum: total(metric, 'sum'), count: total(metric, 'count') })
  return { insert: totals(METRICS.insert), routing: totals(METRICS.routing) }
}

/** The averages between two readings. */
export function batchesBetween(before: Totals | undefined, after: Totals | undefined): Batches | null {
  if (!before || !after) return null
  const average = (name: keyof Totals) => {
    const count = after[name].count - before[name].count
    return count === 0 ? null : (after[name].sum - before[name].sum) / count
  }
  return { insert: average('insert'), routing: average('routing') }
}
