import type { Violation } from '../checks/report.ts'
import type { Backlog } from '../lab/backlog.ts'
import type { Verdict } from '../lab/check-lab.ts'
import type { PostedFigures } from '../lab/check-posted.ts'
import type { Lab, LabEngine } from '../lab/lab.ts'
import type { FaultFigures } from './fault-schedule.ts'
import { type Quantiles, quantiles } from './quantiles.ts'

/** What a soak measured and found. */
export type SoakReport = {
  engine: LabEngine
  seed: number
  seconds: number
  deliveries: number
  posts: number
  answers: Record<string, number>
  answerMs: Quantiles
  effects: Verdict['figures']
  /** From the first 200 to the moment a message was stored. */
  waitsMs: Quantiles
  /** What webhook endpoints took. */
  posted: PostedFigures
  faults: Record<string, FaultFigures>
  slowestRecovery: { kind: string; ms: number }
  drainSeconds: number
  backlog: Backlog
  worstLinesPerSecond: number
  worstRssMb: { receiver: number; worker: number }
  restarts: number
  apiAnswers: Record<string, number>
  /** Numbers that moved and users who left. */
  changes: Record<string, number>
  violations: Violation[]
}

type LoadFigures = Pick<SoakReport, 'engine' | 'seed' | 'deliveries' | 'posts' | 'answers' | 'answerMs'>
type ProcessFigures = Pick<SoakReport, 'worstLinesPerSecond' | 'worstRssMb' | 'restarts'>

export function loadFigures({ engine, seed, meta }: Lab): LoadFigures {
  const { deliveries, posts, answers, answerMs } = meta.log.figures
  return { engine, seed, deliveries, posts, answers, answerMs: quantiles(answerMs) }
}

export function processFigures({ receivers, workers }: Lab): ProcessFigures {
  const figures = [...receivers, ...workers].map((process) => process.figures)
  const worstRss = (processes: Lab['workers']) =>
    Math.max(...processes.map((process) => process.figures.worstRssMb))
  return {
    worstLinesPerSecond: Math.max(...figures.map(({ worstLinesPerSecond }) => worstLinesPerSecond)),
    worstRssMb: { receiver: worstRss(receivers), worker: worstRss(workers) },
    restarts: figures.reduce((sum, { starts }) => sum + starts - 1, 0),
  }
}

/** The faults in the order of their names, and the one with the slowest recovery. */
export function faultFigures(
  faults: ReadonlyMap<string, FaultFigures>,
): Pick<SoakReport, 'faults' | 'slowestRecovery'> {
  const slowest = [...faults].sort(([, a], [, b]) => b.slowestMs - a.slowestMs)[0]
  return {
    faults: Object.fromEntries([...faults].sort(([a], [b]) => (a < b ? -1 : 1))),
    slowestRecovery: { kind: slowest?.[0] ?? 'none', ms: slowest?.[1].slowestMs ?? 0 },
  }
}

/** One line about a run that goes on. */
export function formatProgress({ engine, meta }: Lab, seconds: number, faults: number): string {
  const { deliveries, answers } = meta.log.figures
  const { '200': acknowledged = 0, ...others } = answers
  const refused = Object.entries(others).map(([answer, n]) => `${answer}: ${n}`)
  return `${engine} ${seconds} s: ${deliveries} deliveries, ${faults} faults, 200: ${acknowledged} ${refused.join(' ')}`
}
