import { loadavg } from 'node:os'
import { startChild } from './child.ts'
import type { Figures } from './figures.ts'
import { loadOf, MOST_PER_SECOND, SQL, WARM_UP_SECONDS, type Way, warmUp } from './loads.ts'
import { type Bench, measureLoad, measureSql } from './measure.ts'
import type { Name, Options } from './options.ts'
import type { Mix } from './requests.ts'
import type { SqlResult, ToSqlAlone } from './sql-alone.ts'
import { VARIANTS, type World } from './variants.ts'

/** The figures of one round, by variant and way, and the machine's load average when it began. */
export type Round = { load_average: number; variants: Partial<Record<Name, Partial<Record<Way, Figures>>>> }

/** Runs every variant once, starting with another one in each round. */
export async function runRound(
  i: number,
  options: Options,
  bench: Bench,
  world: World,
  say: (line: string) => void,
): Promise<Round> {
  const round: Round = { load_average: loadavg()[0] ?? 0, variants: {} }
  const names = options.only.map((_, k) => options.only[(k + i) % options.only.length] as Name)
  for (const name of names) {
    const onWay = (way: Way) => say(`round ${i + 1} of ${options.rounds}: ${name}, ${way}`)
    round.variants[name] =
      name === 'sql'
        ? await sqlAlone(options, bench, world, onWay)
        : await httpVariant(name, options, bench, world, onWay)
  }
  return round
}

async function httpVariant(
  name: Exclude<Name, 'sql'>,
  options: Options,
  bench: Bench,
  world: World,
  onWay: (way: Way) => void,
): Promise<Partial<Record<Way, Figures>>> {
  const running = await VARIANTS[name].start(world)
  try {
    const stores = running.drained !== undefined
    const most = name.startsWith('plain') ? MOST_PER_SECOND.plain : MOST_PER_SECOND.usher
    const measure = (way: Way) => {
      onWay(way)
      return measureLoad(bench, running, loadOf(way, options, most, !stores))
    }
    await warmUp(bench, running, options, !stores)
    const figures: Partial<Record<Way, Figures>> = { full: await measure('full') }
    if (stores) figures.statuses = await measure('statuses')
    figures.rate = await measure('rate')
    if (stores) figures.single = await measure('single')
    return figures
  } finally {
    await running.stop()
  }
}

async function sqlAlone(
  { rooms, seconds }: Options,
  bench: Bench,
  { databaseUrl: url }: World,
  onWay: (way: Way) => void,
): Promise<Partial<Record<Way, Figures>>> {
  const sql = startChild<ToSqlAlone, SqlResult>('sql-alone.js')
  const measure = (mix: Mix, seconds: number) =>
    measureSql(bench, sql, { ...SQL, url, mix, rooms, seconds, count: MOST_PER_SECOND.sql * seconds })
  try {
    await measure('messages', WARM_UP_SECONDS)
    onWay('full')
    const full = await measure('messages', seconds)
    onWay('statuses')
    return { full, statuses: await measure('statuses', seconds) }
  } finally {
    await sql.stop()
  }
}
