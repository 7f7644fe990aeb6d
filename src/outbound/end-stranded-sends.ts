import type { Db } from '../db/client.ts'
import { run } from '../db/statement.ts'
import { applyEarlyStatuses } from './early-statuses.ts'
import { failLateSends, markAbandonedSends } from './stranded-sends.ts'

/**
 * Ends the sends whose sender died or whose window closed, and applies the statuses that came early. What is due needs no
 * job: senders look once a second.
 */
export async function endStrandedSends(db: Db): Promise<{ abandoned: number; late: number; early: number }> {
  return {
    abandoned: await run(db, markAbandonedSends()),
    late: await run(db, failLateSends()),
    early: await run(db, applyEarlyStatuses()),
  }
}
