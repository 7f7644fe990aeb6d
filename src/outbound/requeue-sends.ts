import type { Db } from '../db/client.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import { run } from '../db/statement.ts'
import { failLateSends, markAbandonedSends, readStrandedSends } from './stranded-sends.ts'

/**
 * Ends the sends whose sender died or whose window closed, and enqueues the due sends whose job was lost. A send with
 * two jobs is harmless: one of them claims the row.
 */
export async function requeueStrandedSends(
  db: Db,
  enqueue: (rows: OutboxRow[]) => Promise<boolean>,
): Promise<{ abandoned: number; late: number; requeuedSends: number }> {
  const abandoned = await run(db, markAbandonedSends())
  const late = await run(db, failLateSends())
  const rows = await run(db, readStrandedSends())
  if (rows.length > 0) await enqueue(rows)
  return { abandoned, late, requeuedSends: rows.length }
}
