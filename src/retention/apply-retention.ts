import type { Db } from '../db/client.ts'
import { handleOldEvents, handleOldMessages } from './delete-old.ts'
import { dropOldMonths, listOldMonths, type Month } from './drop-months.ts'
import { type OrgRetention, oldestKept, readRetention } from './read-retention.ts'

/** How much is too old in an org, but for what is in `months`. */
export type OldRows = OrgRetention & { messages: number; events: number }
export type Retained = { months: Month[]; orgs: OldRows[] }

/**
 * Deletes the messages and the events that their orgs keep no longer (docs/privacy.md#retention). Months that no org keeps
 * are dropped, the rest is deleted in small batches. `dryRun`: counts, and changes nothing; `messages` then include those of
 * `months`. Any number of processes may do so at once.
 */
export async function applyRetention(
  db: Db,
  { eventRetentionDays, dryRun = false }: { eventRetentionDays: number; dryRun?: boolean },
): Promise<Retained> {
  const retention = await readRetention(db, eventRetentionDays)
  const before = oldestKept(retention)
  const months = before ? await (dryRun ? listOldMonths : dropOldMonths)(db, before) : []
  const orgs: OldRows[] = []
  for (const org of retention) {
    const { orgId, messagesBefore, eventDays, eventsBefore } = org
    const wanted = { orgId, deletes: !dryRun }
    const messages = messagesBefore ? await handleOldMessages(db, { ...wanted, before: messagesBefore }) : 0
    // Older days of the log are dropped by `keep-event-log`.
    const events =
      eventDays < eventRetentionDays ? await handleOldEvents(db, { ...wanted, before: eventsBefore }) : 0
    orgs.push({ ...org, messages, events })
  }
  return { months, orgs }
}
