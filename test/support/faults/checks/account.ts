import { checkMessages, type MessageFigures } from './check-messages.ts'
import { checkReplies, type ReplyFigures } from './check-replies.ts'
import { checkRooms } from './check-rooms.ts'
import { checkSends } from './check-sends.ts'
import type { Evidence } from './evidence.ts'
import { countByKind, createReport, formatViolations, type Report } from './report.ts'

export type EffectFigures = MessageFigures & ReplyFigures

/** What the published table says of a run; `acknowledged`: messages in deliveries that were answered with 200. */
export type Account = {
  acknowledged: number
  lost: number
  doubled: number
  misplaced: number
  invented: number
}

/**
 * Compares what was posted and answered with the tables (messages, inbox, chatrooms, outbox) and with what the
 * stand-in Graph API accepted. This is the one place where lost, doubled and misplaced effects are counted. Call it
 * when no delivery waits: one that does counts as wrong.
 */
export async function checkEffects(evidence: Evidence, report: Report): Promise<EffectFigures> {
  const messages = await checkMessages(evidence, report)
  await checkRooms(evidence, report)
  const replies = await checkReplies(evidence, report)
  await checkSends(evidence, report)
  return { ...messages, ...replies }
}

/**
 * Counts the effects and gives the figures to publish.
 * @throws Error that names each violated rule with samples, when anything is lost, doubled, misplaced or otherwise wrong.
 */
export async function accountFor(evidence: Evidence): Promise<Account> {
  const report = createReport()
  const { acknowledged } = await checkEffects(evidence, report)
  const violations = report.violations()
  if (violations.length > 0) throw new Error(formatViolations(violations))
  const { lost, doubled, misplaced, invented } = countByKind(violations)
  return { acknowledged, lost, doubled, misplaced, invented }
}
