import { randomInt } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { type LabEngine, startLab } from '../support/faults/lab/lab.ts'
import { publishSoak, type SoakOptions, soak } from '../support/faults/soak/soak.ts'
import type { SoakReport } from '../support/faults/soak/soak-report.ts'
import { formatSoak } from '../support/faults/soak/soak-table.ts'
import { findRedis } from '../support/redis.ts'

const print = (line: string) => void process.stdout.write(`${line}\n`)

export const SOAK_OPTIONS = `[--minutes N] [--engine redis|postgres|both] [--at-once] [--seed S] [--every SECONDS]
    [--rate DELIVERIES_A_SECOND] [--only PART_OF_A_FAULT'S_NAME] [--json FILE]`

const OPTIONS = {
  minutes: { type: 'string', default: '1' },
  engine: { type: 'string', default: 'both' },
  'at-once': { type: 'boolean', default: false },
  seed: { type: 'string' },
  every: { type: 'string', default: '5' },
  rate: { type: 'string', default: '75' },
  only: { type: 'string', default: '' },
  json: { type: 'string' },
} as const

type Load = Pick<SoakOptions, 'seconds' | 'every' | 'rate'> & { seed: number; only: string }

/** Load and random faults for `--minutes`, on each engine. Resolves with whether every rule held. */
export async function runSoak(args: string[]): Promise<boolean> {
  const { values } = parseArgs({ args, options: OPTIONS })
  const engines = enginesOf(values.engine)
  const load: Load = {
    seed: Number(values.seed ?? randomInt(1, 1_000_000)),
    seconds: Number(values.minutes) * 60,
    every: Number(values.every),
    rate: Number(values.rate),
    only: values.only,
  }
  const { seed, seconds, every, rate } = load
  if (![seed, seconds, every, rate].every((n) => n > 0)) throw new Error(SOAK_OPTIONS)
  print(
    `seed ${seed}: ${seconds / 60} min on ${engines.join(', ')}, a fault every ${every} s, ${rate} deliveries/s`,
  )
  const reports: SoakReport[] = []
  if (values['at-once']) reports.push(...(await Promise.all(engines.map((engine) => soakOne(engine, load)))))
  else for (const engine of engines) reports.push(await soakOne(engine, load))
  if (values.json) await writeFile(values.json, `${JSON.stringify(reports, null, 2)}\n`)
  return reports.every(({ violations }) => violations.length === 0)
}

function enginesOf(name: string): LabEngine[] {
  if (name === 'postgres') return ['postgres']
  if (name !== 'redis' && name !== 'both') throw new Error(SOAK_OPTIONS)
  if (findRedis() !== undefined) return name === 'redis' ? ['redis'] : ['postgres', 'redis']
  if (name === 'redis') throw new Error('redis-server not found')
  print('redis-server not found: PostgreSQL only')
  return ['postgres']
}

async function soakOne(engine: LabEngine, { seed, ...load }: Load): Promise<SoakReport> {
  // Contacts expire and chatrooms become inactive all through the run; one of fifty statuses never comes.
  const population = { lifecycleWithinMs: load.seconds * 1_000, attesters: 400 }
  const lab = await startLab({
    ...{ engine, seed, statuses: 0.98, population, oddities: { kinds: 0.25 } },
    hasEndpoints: true,
  })
  let keepFolder = true
  try {
    const limits = { longestFreezeMs: 20_000, longestOutageMs: 5_000 }
    const report = await soak(lab, { ...load, limits, skipWaits: false, onProgress: print })
    print(`\n${formatSoak(report)}\n`)
    keepFolder = report.violations.length > 0
    if (keepFolder) print(`the logs of the processes are in ${lab.folder}\n`)
    else publishSoak(report)
    return report
  } finally {
    await lab.stop({ keepFolder })
  }
}
