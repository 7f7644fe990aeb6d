import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../db/client.ts'
import { run, type Statement } from '../db/statement.ts'

/** Routing is late when the oldest delivery that it has not begun with waits longer. */
const LATE_MS = 300
const PAUSE_MS = 200
/** Work that yields goes on after so long in any case. */
const PATIENCE_MS = 1_000

/**
 * Resolves when a step of heavy work may begin: at once, unless routing is late; then when it is not late any more, or
 * after a second. So routing goes first, and the work goes on.
 */
export async function yieldToRouting(db: Db): Promise<void> {
  for (let waited = 0; waited < PATIENCE_MS && (await run(db, IS_LATE)); waited += PAUSE_MS) {
    await sleep(PAUSE_MS)
  }
}

/** Of the deliveries that no routing has failed with, the first one that is due is the oldest. */
const IS_LATE: Statement<boolean> = {
  name: 'is-routing-late',
  text: `select requeues = 0 and received_at < clock_timestamp() - interval '${LATE_MS} ms' as late
    from inbox where state = 'new' order by due_at limit 1`,
  values: [],
  read: (rows: { late: boolean }[]) => rows[0]?.late ?? false,
}
