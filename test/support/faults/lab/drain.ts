import { setTimeout as sleep } from 'node:timers/promises'
import { isTransient } from '../../../../src/db/pg-errors.ts'
import { type Backlog, isEmpty, readBacklog, skipWaitingTimes } from './backlog.ts'
import type { Lab } from './lab.ts'

/**
 * Waits until nothing is left to route or send and the queues are empty, at most `withinMs`; gives what is left.
 * With `skipWaits`, the leases and waiting times of stranded rows count as over (`skipWaitingTimes`).
 */
export async function drain(
  lab: Lab,
  { withinMs, skipWaits }: { withinMs: number; skipWaits: boolean },
): Promise<Backlog> {
  for (const end = performance.now() + withinMs; ; await sleep(250)) {
    const isOver = performance.now() > end
    try {
      const backlog = await readBacklog(lab)
      if (isEmpty(backlog) || isOver) return backlog
      if (skipWaits && backlog.jobs === 0) await skipWaitingTimes(lab)
    } catch (error) {
      // PostgreSQL may still be recovering from the last fault.
      if (isOver || !isTransient(error)) throw error
    }
  }
}
