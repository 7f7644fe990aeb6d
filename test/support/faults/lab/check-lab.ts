import { checkEffects, type EffectFigures } from '../checks/account.ts'
import { checkDeadlocks } from '../checks/check-deadlocks.ts'
import { checkEventLog } from '../checks/check-event-log.ts'
import { checkHistory } from '../checks/check-history.ts'
import { checkStatuses } from '../checks/check-statuses.ts'
import { checkTimes } from '../checks/check-times.ts'
import { type Counts, countByKind, createReport, type Report, type Violation } from '../checks/report.ts'
import { checkPeople } from './check-people.ts'
import { drain } from './drain.ts'
import type { Lab } from './lab.ts'
import { digestOf } from './load-log.ts'

export type Verdict = {
  /** The rules that do not hold; empty when all is well. */
  violations: Violation[]
  figures: EffectFigures & Counts
}

/**
 * Compares what the load source and the stand-in Graph API recorded with the database and the logs, and names every
 * rule that does not hold. Call it when all faults are healed and the backlog is drained: what still waits then is a
 * violation.
 */
export async function checkLab(lab: Lab): Promise<Verdict> {
  const report = createReport()
  const workerEnds = lab.workers.flatMap(({ endedAt }) => endedAt)
  const evidence = { ...lab, posted: lab.meta.log.messages, accepted: lab.graph.accepted, workerEnds }
  const figures = await checkEffects(evidence, report)
  await checkHistory(lab, lab.population.rooms, report)
  await checkTimes(lab, report)
  await checkEventLog(lab, report)
  await checkStatuses(lab, lab.meta.log.statuses, report)
  await checkPeople(lab, report)
  await checkBacklog(lab, report)
  await checkDeadLetters(lab, report)
  for (const answer of lab.meta.log.forgedLetIn) report.add('forgedIsRefused', answer)
  checkProcesses(lab, report)
  await checkDeadlocks(lab, report, lab.postgres.lastDeadlocks)
  const violations = report.violations()
  return { violations, figures: { ...figures, ...countByKind(violations) } }
}

/** A canary job may be in a queue at any time; it is gone within this time. */
const CANARY_MS = 5_000

async function checkBacklog(lab: Lab, report: Report): Promise<void> {
  const { inbox, outbox, jobs } = await drain(lab, { withinMs: CANARY_MS, skipWaits: false })
  if (inbox > 0) report.add('inboxIsEmpty', `${inbox} deliveries`)
  if (outbox > 0) report.add('outboxIsEmpty', `${outbox} messages`)
  if (jobs !== 0) report.add('queuesAreEmpty', jobs < 0 ? 'no process gives its metrics' : `${jobs} jobs`)
}

/** Exactly the poisoned deliveries are dead letters, each with its error. */
async function checkDeadLetters({ db, meta }: Lab, report: Report): Promise<void> {
  const { rows } = await db.$client.query<{ body: Buffer; error: string | null }>(
    `select body, error from inbox where state = 'dead'`,
  )
  const dead = new Set<string>()
  for (const { body, error } of rows) {
    const digest = digestOf(body)
    dead.add(digest)
    if (!error) report.add('deadLetterHasReason', digest)
    if (!meta.log.poisoned.has(digest)) report.add('onlyUnreadableIsDead', String(error))
  }
  for (const [digest, acked] of meta.log.poisoned)
    if (acked && !dead.has(digest)) report.add('unreadableIsKept', digest)
}

function checkProcesses({ receivers, workers }: Lab, report: Report): void {
  for (const { name, figures } of [...receivers, ...workers]) {
    for (const line of figures.leaks) report.add('noSecretInLogs', `${name}: ${line}`)
    for (const end of figures.unasked) report.add('noProcessEnds', `${name}: ${end}`)
  }
}
