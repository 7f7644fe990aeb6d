import { formatTable } from '../../../src/cli/table.ts'
import type { Quantiles } from './quantiles.ts'
import type { SoakReport } from './soak.ts'

/** A report as text for a terminal: the figures, the faults, and what was violated. */
export function formatSoak(report: SoakReport): string {
  const { messages, answers, answerMs, faults, slowestRecovery, worstRssMb, violations } = report
  const count = Object.values(faults).reduce((sum, { times }) => sum + times, 0)
  const figures = [
    ['queue on', report.engine],
    ['seed', String(report.seed)],
    ['seconds', String(report.seconds)],
    ['deliveries (posts)', `${report.deliveries} (${report.posts})`],
    [
      'answers',
      Object.entries(answers)
        .map(([answer, n]) => `${answer}: ${n}`)
        .join(', '),
    ],
    ['answer time, ms', words(answerMs)],
    ['from 200 to the ledger, ms', words(messages.waitedMs)],
    ['messages written, answered 200', `${messages.written}, ${messages.acked}`],
    [
      'lost, doubled, misplaced, invented',
      [messages.lost, messages.doubled, messages.misplaced, messages.invented].join(', '),
    ],
    ['replies, of them unknown', `${messages.replies}, ${messages.unknownSends}`],
    ['faults', String(count)],
    ['slowest recovery', `${seconds(slowestRecovery.ms)} after ${slowestRecovery.kind}`],
    ['drained in', `${report.drainSeconds} s`],
    ['restarts of processes', String(report.restarts)],
    ['worst log lines in a second', String(report.worstLinesPerSecond)],
    ['worst memory', `receiver ${worstRssMb.receiver} MB, worker ${worstRssMb.worker} MB`],
    [
      'API answers',
      Object.entries(report.apiAnswers)
        .map(([answer, n]) => `${answer}: ${n}`)
        .join(', '),
    ],
    ['violations', violations.length === 0 ? '0' : violations.map((v) => `${v.rule}: ${v.count}`).join('; ')],
  ]
  const kinds = Object.entries(faults).map(([kind, { times, slowestMs }]) => [
    kind,
    String(times),
    seconds(slowestMs),
  ])
  return [
    formatTable(['figure', ''], figures),
    formatTable(['fault', 'times', 'slowest recovery'], kinds),
    ...violations.map(({ rule, samples }) => `VIOLATED: ${rule}\n    ${samples.join('\n    ')}`),
  ].join('\n\n')
}

const words = ({ p50, p99, worst }: Quantiles) => `median ${p50}, 99 % ${p99}, worst ${worst}`

/** 0: not measured, since another fault began meanwhile. */
function seconds(ms: number | null): string {
  if (ms === 0) return '-'
  return ms !== null && Number.isFinite(ms) ? `${(ms / 1000).toFixed(2)} s` : 'never'
}
