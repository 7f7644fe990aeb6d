import type { Load } from './generator.ts'
import { type Bench, measureLoad } from './measure.ts'
import type { Options } from './options.ts'
import type { Mix } from './requests.ts'
import type { Running } from './variants.ts'

/** Ways to load a variant: as fast as it goes, the same with statuses, at a fixed rate, and one at a time. */
export type Way = 'full' | 'statuses' | 'rate' | 'single'

/** Most requests signed for a second of full speed; more are not sent, which the report says. */
export const MOST_PER_SECOND = { usher: 16_000, plain: 8_000, sql: 12_000 }
export const WARM_UP_SECONDS = 2
const SINGLE_PAUSE_MS = 20
/** How SQL alone is driven: as many batches at a time as a worker process has by default. */
export const SQL = { concurrency: 4, batch: 200 }

/** The load of a variant in one of these ways; `repeat`: the variant does not read its requests, so a few are enough. */
export function loadOf(
  way: Way,
  options: Options,
  most: number,
  repeat: boolean,
): Omit<Load, 'run' | 'port'> {
  const { rooms, connections, seconds, rate } = options
  const mix: Mix = way === 'statuses' ? 'statuses' : 'messages'
  const base = { mix, rooms, connections, seconds, repeat }
  if (way === 'rate') return { ...base, rate, count: rate * seconds }
  if (way === 'single') return { ...base, connections: 1, pauseMs: SINGLE_PAUSE_MS, count: seconds * 60 }
  return { ...base, count: repeat ? 20_000 : most * seconds }
}

/** Sends a load that is not measured, so that code is compiled and connections are open. */
export async function warmUp(
  bench: Bench,
  running: Running,
  options: Options,
  repeat: boolean,
): Promise<void> {
  const { rooms, connections } = options
  const load = { rooms, connections, repeat, seconds: WARM_UP_SECONDS, count: 10_000 * WARM_UP_SECONDS }
  await measureLoad(bench, running, { ...load, mix: 'messages' })
}
