import { formatTable } from '../../../../src/cli/table.ts'
import { formatViolation, formatViolations } from '../checks/report.ts'
import type { Quantiles } from './quantiles.ts'
import type { SoakReport } from './soak-report.ts'

/** A report as text for a terminal: the figures, the faults, and what was violated. */
export function formatSoak(report: SoakReport): string {
  const kinds = Object.entries(report.faults).map(([kind, { times, slowestMs }]) => [
    kind,
    String(times),
    inSeconds(slowestMs),
  ])
  return [
    formatTable(['figure', ''], figureRows(report)),
    formatTable(['fault', 'times', 'slowest recovery'], kinds),
    formatViolations(report.violations),
  ]
    .filter(Boolean)
    .join('\n\n')
}

function figureRows(report: SoakReport): string[][] {
  const { effects, faults, slowestRecovery, worstRssMb, violations } = report
  const count = Object.values(faults).reduce((sum, { times }) => sum + times, 0)
  return [
    ['queue on', report.engine],
    ['seed', String(report.seed)],
    ['seconds', String(report.seconds)],
    ['deliveries (POSTs)', `${report.deliveries} (${report.posts})`],
    ['answers', countsOf(report.answers)],
    ['answer time, ms', quantilesOf(report.answerMs)],
    ['from the 200 until stored, ms', quantilesOf(report.waitsMs)],
    ['messages posted, answered with 200', `${effects.posted}, ${effects.acknowledged}`],
    [
      'lost, doubled, misplaced, invented',
      [effects.lost, effects.doubled, effects.misplaced, effects.invented].join(', '),
    ],
    ['replies, of them with unknown outcome', `${effects.replies}, ${effects.unknownSends}`],
    ['events posted, of them again', `${report.posted.events}, ${report.posted.again}`],
    ['faults', String(count)],
    ['slowest recovery', `${inSeconds(slowestRecovery.ms)} after ${slowestRecovery.kind}`],
    ['drained in', `${report.drainSeconds} s`],
    ['restarts of processes', String(report.restarts)],
    ['most log lines in a second', String(report.worstLinesPerSecond)],
    ['most memory', `receiver ${worstRssMb.receiver} MB, worker ${worstRssMb.worker} MB`],
    ['API answers', countsOf(report.apiAnswers)],
    ['numbers that moved, users who left', countsOf(report.changes)],
    ['violations', violations.length === 0 ? '0' : violations.map(formatViolation).join('; ')],
  ]
}

const countsOf = (answers: Record<string, number>) =>
  Object.entries(answers)
    .map(([answer, n]) => `${answer}: ${n}`)
    .join(', ')

const quantilesOf = ({ p50, p99, worst }: Quantiles) => `median ${p50}, 99 % ${p99}, worst ${worst}`

/** 0 was not measured, since another fault began meanwhile; what is not finite did not recover in time. */
function inSeconds(ms: number): string {
  if (ms === 0) return '-'
  return Number.isFinite(ms) ? `${(ms / 1_000).toFixed(2)} s` : 'not in time'
}
