import { SLOWNESS } from '../../patience.ts'
import { checkLeaving } from '../checks/check-leaving.ts'
import { createReport, type Violation } from '../checks/report.ts'
import { isEmpty } from '../lab/backlog.ts'
import { checkLab } from '../lab/check-lab.ts'
import { checkPosted } from '../lab/check-posted.ts'
import { drain } from '../lab/drain.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import type { FaultyPostgres } from '../lab/postgres.ts'
import { createMutant } from './mutant.ts'
import type { Mutation } from './mutation.ts'

const SEED = 20261121
/** Work that a broken guard leaves undone for ever is waited for no longer. */
const DRAIN_MS = 25_000 * SLOWNESS

/** What the checks found without the guard, and with it: nothing, unless the scenario itself is wrong. */
export type Outcome = { whole: Violation[]; broken: Violation[] }

/** Plays a mutation's scenario to the product as it is, and to the product without the guard. */
export async function playMutation(postgres: FaultyPostgres, mutation: Mutation): Promise<Outcome> {
  const whole = await play(postgres, { ...mutation, edits: [], sql: [] })
  return { whole, broken: await play(postgres, mutation) }
}

/** Plays the scenario on a fresh database; gives what the checks find. */
async function play(postgres: FaultyPostgres, mutation: Mutation): Promise<Violation[]> {
  const {
    edits,
    sql = [],
    scenario,
    oddities = {},
    workerEnv = [{}],
    statuses = 1,
    hasEndpoints = false,
  } = mutation
  const mutant = edits.length > 0 ? await createMutant(edits) : undefined
  const lab = await startLab({
    engine: 'postgres',
    seed: SEED,
    receivers: 2,
    workers: workerEnv.length,
    workerEnv,
    statuses,
    hasEndpoints,
    postgres,
    population: { regulars: 16, returners: 16 },
    oddities: { stranger: 0, late: 0, ...oddities },
    ...(mutant && { root: mutant.root }),
  })
  try {
    for (const statement of sql) await lab.db.$client.query(statement)
    const report = createReport()
    await scenario(lab, report)
    await comeToRest(lab)
    await checkLeaving(lab, report)
    await checkPosted(lab, report, DRAIN_MS)
    return [...(await checkLab(lab)).violations, ...report.violations()]
  } finally {
    await lab.stop()
    await mutant?.remove()
  }
}

/** Waits until nothing is left to do; twice, since statuses follow the last sends. */
async function comeToRest(lab: Lab): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    await lab.meta.idle(DRAIN_MS)
    if (!isEmpty(await drain(lab, { withinMs: DRAIN_MS, skipWaits: true }))) return
  }
}
