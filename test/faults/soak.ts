import { randomInt } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { type LabEngine, startLab } from '../support/faults/lab.ts'
import { noteFigures, type SoakReport, soak } from '../support/faults/soak.ts'
import { formatSoak } from '../support/faults/soak-table.ts'
import { findRedis } from '../support/redis.ts'

const print = (line: string) => process.stdout.write(`${line}\n`)

const HELP = `npm run faults -- soak --minutes N [--engine redis|postgres|both] [--at-once] [--seed S] [--every SECONDS]
    [--rate DELIVERIES_A_SECOND] [--only PART_OF_A_FAULT'S_NAME] [--json FILE]`

/** Load and random faults for `--minutes`, on each engine; exits 1 when any invariant is violated. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '1' },
      engine: { type: 'string', default: 'both' },
      'at-once': { type: 'boolean', default: false },
      seed: { type: 'string' },
      every: { type: 'string', default: '5' },
      rate: { type: 'string', default: '75' },
      only: { type: 'string', default: '' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    print(HELP)
    return
  }
  const engines = enginesOf(values.engine)
  const seed = Number(values.seed ?? randomInt(1, 1_000_000))
  const [minutes, every, rate] = [values.minutes, values.every, values.rate].map(Number) as [
    number,
    number,
    number,
  ]
  if (![seed, minutes, every, rate].every((n) => n > 0)) throw new Error(HELP)
  print(
    `seed ${seed}: ${minutes} min on ${engines.join(', ')}, a fault every ${every} s, ${rate} deliveries/s`,
  )
  const run = (engine: LabEngine) =>
    runOne(engine, { seed, seconds: minutes * 60, every, rate, only: values.only })
  const reports: SoakReport[] = []
  if (values['at-once']) reports.push(...(await Promise.all(engines.map(run))))
  else for (const engine of engines) reports.push(await run(engine))
  if (values.json) await writeFile(values.json, `${JSON.stringify(reports, null, 2)}\n`)
  if (reports.some(({ violations }) => violations.length > 0)) process.exitCode = 1
}

function enginesOf(name: string): LabEngine[] {
  if (name === 'postgres') return ['postgres']
  if (name !== 'redis' && name !== 'both') throw new Error(HELP)
  if (findRedis() !== undefined) return name === 'redis' ? ['redis'] : ['postgres', 'redis']
  if (name === 'redis') throw new Error('redis-server not found')
  print('redis-server not found: PostgreSQL only')
  return ['postgres']
}

async function runOne(
  engine: LabEngine,
  { seed, ...load }: { seed: number; seconds: number; every: number; rate: number; only: string },
): Promise<SoakReport> {
  // The lifecycle's borders are crossed all through the run; one of fifty statuses never comes.
  const lab = await startLab({
    engine,
    seed,
    statuses: 0.98,
    cast: { lifecycleWithinMs: load.seconds * 1000 },
  })
  let keepFolder = true
  try {
    const limits = { longestFreezeMs: 20_000, longestOutageMs: 5_000 }
    const report = await soak(lab, {
      ...load,
      limits,
      drainMs: 180_000,
      hurry: false,
      onProgress: print,
    })
    print(`\n${formatSoak(report)}\n`)
    noteFigures(report)
    keepFolder = report.violations.length > 0
    if (keepFolder) print(`the logs of the processes are in ${lab.folder}\n`)
    return report
  } finally {
    await lab.stop({ keepFolder })
  }
}

await main()
// A connection that died in a fault may linger.
process.exit()
