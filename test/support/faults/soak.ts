import { setTimeout as sleep } from 'node:timers/promises'
import { measured } from '../figures.ts'
import { check, type Verdict } from './checker.ts'
import { startCrm } from './crm.ts'
import { type Backlog, drain } from './drain.ts'
import { type Fault, type FaultLimits, faultKinds, healAll, type Target } from './fault-kinds.ts'
import type { Lab, LabEngine } from './lab.ts'
import { type Quantiles, quantiles } from './quantiles.ts'
import { type Random, seededRandom } from './random.ts'
import { idleWorkers, timeToRecover } from './recovery.ts'
import type { Violation } from './report.ts'

export type SoakOptions = {
  seconds: number
  /** A fault begins so often, in seconds; later when the system has not recovered from the one before. */
  every: number
  /** Deliveries a second. */
  rate: number
  limits: FaultLimits
  /** Only kinds of fault whose names have this in them. */
  only?: string
  drainMs: number
  /** Stranded rows need not wait for their time at the end (`drain`). */
  hurry: boolean
  /** Told a few words every few seconds. */
  onProgress?: (line: string) => void
}

export type FaultFigures = { times: number; slowestMs: number }

export type SoakReport = {
  engine: LabEngine
  seed: number
  seconds: number
  deliveries: number
  posts: number
  answers: Record<string, number>
  answerMs: Quantiles
  messages: Verdict['figures']
  faults: Record<string, FaultFigures>
  slowestRecovery: { kind: string; ms: number }
  drainSeconds: number
  backlog: Backlog
  worstLinesPerSecond: number
  worstRssMb: Record<string, number>
  restarts: number
  apiAnswers: Record<string, number>
  violations: Violation[]
}

const RECOVER_WITHIN_MS = 60_000
const PROGRESS_MS = 5_000
const WORKERS_WITHIN_MS = 60_000
const SETTLED_WITHIN_MS = 60_000

/**
 * Load and random faults for a while; then everything is healed, each worker must work again, what waits must drain,
 * and the checker has its say. What faults come, and in which order, is the lab's seed's choice.
 */
export async function soak(lab: Lab, options: SoakOptions): Promise<SoakReport> {
  const { meta } = lab
  const found: Violation[] = []
  const began = Date.now()
  const crm = startCrm(lab, { seed: lab.seed, perSecond: 4 })
  const faults = new Map<string, FaultFigures>()
  const talk = setInterval(() => options.onProgress?.(progress(lab, began, faults)), PROGRESS_MS)
  try {
    meta.run(options.rate)
    await sleep(1_000)
    await spreadFaults(lab, options, faults)
    await healAll(lab)
    await lab.cast.provisionLate()
    const idle = await idleWorkers(lab, WORKERS_WITHIN_MS)
    if (idle.length > 0)
      found.push({ rule: 'every worker works again (I15)', count: idle.length, samples: idle })
    meta.pause()
    crm.stop()
    if (!(await meta.answered(SETTLED_WITHIN_MS)))
      found.push({ rule: 'every delivery is answered in the end (I15)', count: 1, samples: [] })
    const drainBegan = Date.now()
    await drain(lab, { withinMs: options.drainMs, hurry: options.hurry })
    // The statuses of the last sends.
    await meta.settled(SETTLED_WITHIN_MS)
    const backlog = await drain(lab, { withinMs: options.drainMs, hurry: options.hurry })
    const drainSeconds = Math.round((Date.now() - drainBegan) / 1000)
    const verdict = await check(lab)
    const violations = [...found, ...slowRecoveries(faults), ...verdict.violations]
    const seconds = Math.round((Date.now() - began) / 1000)
    const measured = { seconds, drainSeconds, backlog, violations, apiAnswers: crm.answers }
    return { ...figuresOf(lab, faults), messages: verdict.figures, ...measured }
  } finally {
    clearInterval(talk)
    crm.stop()
  }
}

/** Leaves the figures of a run for the table of docs/reliability.md, as its last row. */
export function noteFigures({
  engine,
  seed,
  messages,
  deliveries,
  faults,
  slowestRecovery,
}: SoakReport): void {
  const times = Object.values(faults).reduce((sum, fault) => sum + fault.times, 0)
  const { lost, doubled, misplaced, invented } = messages
  const seconds = slowestRecovery.ms / 1000
  const also = { faults: times, messages: messages.acked }
  const of = 'deliveries under random faults'
  measured(31, { of, n: deliveries, engine, seed, lost, doubled, wrong: misplaced + invented, seconds, also })
}

/** Lets faults begin at their time, one after another but for those that linger; resolves when all are over. */
async function spreadFaults(
  lab: Lab,
  { seconds, every, limits, only = '' }: SoakOptions,
  faults: Map<string, FaultFigures>,
): Promise<void> {
  const random = seededRandom(lab.seed + 3)
  const kinds = faultKinds(lab, limits).filter(({ kind }) => kind.includes(only))
  const busy = new Set<Target>()
  const lingering = new Set<Promise<unknown>>()
  const begun = { faults: 0 }
  let bag: Fault[] = []
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    const slot = sleep(every * 1000)
    // Each kind once before any comes again.
    if (bag.length === 0) bag = random.shuffled(kinds)
    const fault = bag.find(({ targets }) => targets.every((target) => !busy.has(target)))
    if (fault) {
      bag.splice(bag.indexOf(fault), 1)
      const whole = harm(lab, fault, { random, busy, faults, begun })
      if (fault.lingers) lingering.add(whole)
      else await whole
    }
    await slot
  }
  await Promise.all(lingering)
}

type Harm = {
  random: Random
  busy: Set<Target>
  faults: Map<string, FaultFigures>
  begun: { faults: number }
}

/** One fault, and the system's recovery from it: what is slower than `RECOVER_WITHIN_MS` counts as never. */
async function harm(lab: Lab, fault: Fault, { random, busy, faults, begun }: Harm): Promise<void> {
  const figures = faults.get(fault.kind) ?? { times: 0, slowestMs: 0 }
  faults.set(fault.kind, figures)
  figures.times += 1
  begun.faults += 1
  for (const target of fault.targets) busy.add(target)
  let recovery = Promise.resolve()
  const measure = async () => {
    const others = begun.faults
    const ms = await timeToRecover(lab, RECOVER_WITHIN_MS)
    // The time after a fault that lingered says nothing when another began meanwhile.
    if (begun.faults === others) figures.slowestMs = Math.max(figures.slowestMs, ms)
  }
  try {
    await fault.run(lab, random, () => {
      recovery = measure()
    })
  } finally {
    for (const target of fault.targets) busy.delete(target)
  }
  await recovery
}

function slowRecoveries(faults: Map<string, FaultFigures>): Violation[] {
  const never = [...faults].flatMap(([kind, { slowestMs }]) => (Number.isFinite(slowestMs) ? [] : [kind]))
  const rule = `every fault is recovered from within ${RECOVER_WITHIN_MS / 1000} s, without a restart (I15)`
  return never.length > 0 ? [{ rule, count: never.length, samples: never }] : []
}

function figuresOf(lab: Lab, faults: Map<string, FaultFigures>) {
  const { deliveries, posts, answers, answerMs } = lab.meta.log.figures
  const children = [...lab.receivers, ...lab.workers].map((child) => ({
    ...child.figures(),
    role: child.role,
  }))
  const worst = (role: string) =>
    Math.max(...children.filter((c) => c.role === role).map((c) => c.worstRssMb))
  const slowest = [...faults].sort(([, a], [, b]) => b.slowestMs - a.slowestMs)[0]
  return {
    engine: lab.engine,
    seed: lab.seed,
    deliveries,
    posts,
    answers,
    answerMs: quantiles(answerMs),
    faults: Object.fromEntries([...faults].sort(([a], [b]) => (a < b ? -1 : 1))),
    slowestRecovery: { kind: slowest?.[0] ?? 'none', ms: slowest?.[1].slowestMs ?? 0 },
    worstLinesPerSecond: Math.max(...children.map((c) => c.worstLinesPerSecond)),
    worstRssMb: { receiver: worst('server'), worker: worst('workers') },
    restarts: children.reduce((sum, c) => sum + c.starts - 1, 0),
  }
}

function progress(lab: Lab, began: number, faults: Map<string, FaultFigures>): string {
  const { deliveries, answers } = lab.meta.log.figures
  const times = [...faults.values()].reduce((sum, { times }) => sum + times, 0)
  const refused = Object.entries(answers).flatMap(([answer, n]) =>
    answer === '200' ? [] : [`${answer}: ${n}`],
  )
  const seconds = Math.round((Date.now() - began) / 1000)
  return `${lab.engine} ${seconds} s: ${deliveries} deliveries, ${times} faults, 200: ${answers['200'] ?? 0} ${refused.join(' ')}`
}
