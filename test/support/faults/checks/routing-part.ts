import type { PostedMessage } from './evidence.ts'
import type { InboundRow } from './inbound-rows.ts'
import type { Report } from './report.ts'

/** Checks that a message is the company's or the customer's as it was posted, and takes part in routing only if it should. */
export function checkPart(row: InboundRow, posted: PostedMessage, report: Report): void {
  const { wamid, direction, route } = row
  const { direction: wanted = 'in', aside } = posted
  if (direction !== wanted) report.add('speaksAsPosted', `${wamid}: ${direction} instead of ${wanted}`)
  if (aside && route !== null) report.add('asideChangesNothing', `${wamid}: ${route}`)
}

const WAKES = ['reactivated', 'created']

/**
 * Collects messages and those that act on them, and compares them in the end. Both come in one delivery, so the message is
 * always known; one that is held has no chatroom.
 */
export function createTargetCheck(report: Report) {
  const roomOf = new Map<string, string | null>()
  const acts: { row: InboundRow; target: string }[] = []
  return {
    note(row: InboundRow, { target }: PostedMessage): void {
      roomOf.set(row.wamid, row.chatroom_id)
      if (target !== undefined) acts.push({ row, target })
    },
    end(): void {
      for (const { row, target } of acts) {
        const room = roomOf.get(target) ?? null
        if (room === null) continue
        const isThere = row.chatroom_id === room && !WAKES.includes(row.route ?? '')
        if (!isThere)
          report.add('actsGoAlong', `${row.wamid}: ${row.route} in ${row.chatroom_id}, not ${room}`)
      }
    },
  }
}
