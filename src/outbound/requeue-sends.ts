import type { Db } from '../db/client.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import { readStrandedSends, settleAbandonedSends, settleLateSends } from './stranded-sends.ts'

/** Tells the queue of due sends whose job was lost, and settles those whose sender or window is gone. */
export async function requeueStrandedSends(
  db: Db,
  enqueue: (rows: OutboxRow[]) => Promise<boolean>,
): Promise<{ abandoned: number; late: number; requeuedSends: number }> {
  const abandoned = await settleAbandonedSends(db)
  const late = await settleLateSends(db)
  const rows = await readStrandedSends(db)
  if (rows.length > 0) await enqueue(rows)
  return { abandoned, late, requeuedSends: rows.length }
}
