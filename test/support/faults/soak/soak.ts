import { setTimeout as sleep } from 'node:timers/promises'
import { publishFigure } from '../../figures.ts'
import { eventually, PATIENCE_MS } from '../../patience.ts'
import { createReport, type Report } from '../checks/report.ts'
import { becomesTrue } from '../lab/becomes-true.ts'
import { startChanges } from '../lab/changes.ts'
import { checkLab } from '../lab/check-lab.ts'
import { readRemoved } from '../lab/check-people.ts'
import { checkPosted } from '../lab/check-posted.ts'
import { startCrm } from '../lab/crm.ts'
import { drain } from '../lab/drain.ts'
import { checkReader, followEvents } from '../lab/event-reader.ts'
import type { Lab } from '../lab/lab.ts'
import { ORGS } from '../lab/orgs.ts'
import { healAll } from './fault-kinds.ts'
import { FaultSchedule, RECOVERS_WITHIN_MS, type ScheduleOptions } from './fault-schedule.ts'
import { idleWorkers } from './recovery.ts'
import { faultFigures, formatProgress, loadFigures, processFigures, type SoakReport } from './soak-report.ts'
import { waitsUntilStored } from './waits.ts'

export type SoakOptions = ScheduleOptions & {
  /** Deliveries a second. */
  rate: number
  /** At the end, stranded rows need not wait for their time. */
  skipWaits: boolean
  /** Gets one line every few seconds. */
  onProgress?: (line: string) => void
}

const PROGRESS_MS = 5_000
const CRM_CALLS_PER_SECOND = 4
const CHANGES_EVERY_MS = 2_000
/** The first fault happens under load. */
const LEAD_MS = 1_000

/**
 * Load and random faults for a while. Then everything is healed, each worker must route again, what waits must
 * drain, and every rule is checked.
 */
export async function soak(lab: Lab, options: SoakOptions): Promise<SoakReport> {
  const began = Date.now()
  const seconds = () => Math.round((Date.now() - began) / 1_000)
  const schedule = new FaultSchedule(lab, options)
  const report = createReport()
  const progress = setInterval(
    () => options.onProgress?.(formatProgress(lab, seconds(), schedule.begun)),
    PROGRESS_MS,
  )
  const crm = startCrm(lab, { seed: lab.seed, perSecond: CRM_CALLS_PER_SECOND })
  const changes = startChanges(lab, { seed: lab.seed, everyMs: CHANGES_EVERY_MS })
  const followers = followEvents(
    lab,
    ORGS.map(({ id }) => id),
  )
  try {
    lab.meta.run(options.rate)
    await sleep(LEAD_MS)
    await schedule.run()
    await recover(lab, report)
    crm.stop()
    await changes.stop()
    const drained = await finish(lab, options, report)
    checkRecoveries(schedule, report)
    for (const reader of await followers.stop()) await checkReader(lab, reader, report)
    const posted = await checkPosted(lab, report, 3 * PATIENCE_MS)
    const verdict = await checkLab(lab)
    return {
      seconds: seconds(),
      ...loadFigures(lab),
      ...processFigures(lab),
      ...faultFigures(schedule.figures),
      ...drained,
      effects: verdict.figures,
      posted,
      waitsMs: await waitsUntilStored(lab),
      apiAnswers: crm.answers,
      changes: changes.done,
      violations: [...report.violations(), ...verdict.violations],
    }
  } finally {
    clearInterval(progress)
    crm.stop()
    void changes.stop()
    void followers.stop()
  }
}

/** Heals everything; with the load still on, each worker must route again. An overloaded database may need more than one try. */
async function recover(lab: Lab, report: Report): Promise<void> {
  await healAll(lab)
  await eventually(() => lab.provisionLateNumber())
  for (const worker of await idleWorkers(lab, PATIENCE_MS)) report.add('everyWorkerRoutes', worker)
  lab.meta.pause()
}

/** Waits until every delivery is answered and nothing waits, that of the statuses of the last sends included. */
async function finish(
  lab: Lab,
  { skipWaits }: SoakOptions,
  report: Report,
): Promise<Pick<SoakReport, 'drainSeconds' | 'backlog'>> {
  if (!(await lab.meta.answered(PATIENCE_MS))) report.add('everyDeliveryIsAnswered', lab.engine)
  const began = Date.now()
  // A job that was lost twice is found a minute after the first time.
  const patience = { withinMs: 3 * PATIENCE_MS, skipWaits }
  await drain(lab, patience)
  await lab.meta.idle(PATIENCE_MS)
  const backlog = await drain(lab, patience)
  // The sweep that releases the chatrooms of users who left runs every minute.
  await becomesTrue(
    async () => (await readRemoved(lab)).every(({ remains }) => remains.length === 0),
    PATIENCE_MS,
  )
  return { drainSeconds: Math.round((Date.now() - began) / 1_000), backlog }
}

function checkRecoveries({ figures }: FaultSchedule, report: Report): void {
  for (const [kind, { slowestMs }] of figures)
    if (!Number.isFinite(slowestMs))
      report.add('recoveryInTime', `not within ${RECOVERS_WITHIN_MS / 1_000} s: ${kind}`)
}

/** Publishes a soak as the last row of the table in docs/reliability.md. */
export function publishSoak({
  engine,
  seed,
  effects,
  deliveries,
  faults,
  slowestRecovery,
}: SoakReport): void {
  const times = Object.values(faults).reduce((sum, fault) => sum + fault.times, 0)
  publishFigure(31, {
    of: 'deliveries under random faults',
    n: deliveries,
    engine,
    seed,
    account: effects,
    seconds: slowestRecovery.ms / 1_000,
    also: { faults: times, messages: effects.acknowledged },
  })
}
