import type { Db } from '../db/client.ts'
import { run } from '../db/statement.ts'
import { applyEarlyStatuses } from './early-statuses.ts'
import { followRefusalsNow, refusalsOf } from './refusals.ts'
import { failLateSends, markAbandonedSends, type StrandedSend } from './stranded-sends.ts'

/**
 * Ends the sends whose sender died or whose window closed, and applies the statuses that came early. What is due needs no
 * job: senders look once a second. Calls `onEnded` for each send that ended without being sent.
 */
export async function endStrandedSends(
  db: Db,
  onEnded: (send: StrandedSend) => void = () => undefined,
): Promise<{ abandoned: number; late: number; early: number }> {
  const abandoned = await run(db, markAbandonedSends())
  const late = await run(db, failLateSends())
  const { applied, failed } = await run(db, applyEarlyStatuses())
  await followRefusalsNow(db, refusalsOf(failed, 'sending'))
  for (const send of [...abandoned, ...late]) onEnded(send)
  return { abandoned: abandoned.length, late: late.length, early: applied }
}
