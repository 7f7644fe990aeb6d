import { startChild } from './child.ts'
import { startTripCounter, type Trips } from './count-trips.ts'
import { loadOf, MOST_PER_SECOND, SQL, warmUp } from './loads.ts'
import { type Bench, measureLoad, measureSql } from './measure.ts'
import type { Name, Options } from './options.ts'
import type { SqlResult, ToSqlAlone } from './sql-alone.ts'
import { VARIANTS, type World } from './variants.ts'

const SECONDS = 3

/**
 * Statements and round trips for one message at full speed, or undefined for a variant that stores nothing. They are
 * counted by a proxy in a run of its own, because the proxy takes CPU time: its batches, and so its figures, may be smaller.
 */
export async function countTrips(
  name: Name,
  options: Options,
  bench: Bench,
  world: World,
): Promise<Trips | undefined> {
  const counter = await startTripCounter(world.databaseUrl)
  const reset = () => void Object.assign(counter.trips, { statements: 0, round_trips: 0 })
  try {
    const through = { ...world, databaseUrl: counter.url }
    const items = await (name === 'sql'
      ? runSql(options, bench, through, reset)
      : runHttp(name, options, bench, through, reset))
    if (items === undefined) return undefined
    const { statements, round_trips } = counter.trips
    return { statements: statements / items, round_trips: round_trips / items }
  } finally {
    counter.stop()
  }
}

async function runSql({ rooms }: Options, bench: Bench, { databaseUrl: url }: World, reset: () => void) {
  const sql = startChild<ToSqlAlone, SqlResult>('sql-alone.js')
  try {
    const load = {
      ...SQL,
      url,
      rooms,
      mix: 'messages' as const,
      seconds: SECONDS,
      count: MOST_PER_SECOND.sql * SECONDS,
    }
    return (await measureSql(bench, sql, load, reset)).acknowledged
  } finally {
    await sql.stop()
  }
}

async function runHttp(
  name: Exclude<Name, 'sql'>,
  options: Options,
  bench: Bench,
  world: World,
  reset: () => void,
) {
  const running = await VARIANTS[name].start(world)
  try {
    if (!running.drained) return undefined
    await warmUp(bench, running, options, false)
    const load = loadOf('full', { ...options, seconds: SECONDS }, MOST_PER_SECOND.usher, false)
    return (await measureLoad(bench, running, load, reset)).acknowledged
  } finally {
    await running.stop()
  }
}
