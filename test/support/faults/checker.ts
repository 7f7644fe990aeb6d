import { checkMessages, type MessageFigures } from './check-messages.ts'
import { checkGraph, checkReplies } from './check-replies.ts'
import { checkLogs, checkRest } from './check-rest.ts'
import { checkHistory, checkRooms } from './check-rooms.ts'
import type { Lab } from './lab.ts'
import { createReport, type Violation } from './report.ts'

export type Verdict = {
  /** Invariants of DESIGN section 7 (facts: I1 ...) that do not hold; empty when all is well. */
  violations: Violation[]
  figures: MessageFigures & { replies: number; unknownSends: number }
}

/**
 * Compares what the load source was told with what the database, the stand-in Graph API and the logs hold, and
 * names every invariant that is violated. Call it when all faults are healed and the backlog is drained: what is
 * still waiting then counts as stuck.
 */
export async function check(lab: Lab): Promise<Verdict> {
  const report = createReport()
  const messages = await checkMessages(lab, report)
  await checkRooms(lab, report)
  await checkHistory(lab, report)
  const replies = await checkReplies(lab, report)
  await checkGraph(lab, report)
  await checkRest(lab, report)
  checkLogs(lab, report)
  return { violations: report.violations(), figures: { ...messages, ...replies } }
}
