import { setTimeout as sleep } from 'node:timers/promises'

/** How posting yields to routing in one process: both use the same processor and the same database. */
export type Yielding = {
  /** Messages were routed; the newest one of their batch had waited so long since its receipt. */
  noteRouted(waitedMs: number): void
  /** Whether routing was late within the last 300 ms. */
  isLate(): boolean
  /** Resolves when the process may take lanes, or make its next request: at once, unless routing is late. */
  mayWork(): Promise<void>
}

/** If also the newest message of a batch waited longer, routing does not keep up with what arrives. */
const LATE_MS = 700
/** Routing counts as late for so long after such a batch; the next one comes sooner if routing is still late. */
const STAYS_LATE_MS = 300
/**
 * While routing is late, takes and requests of a process wait for the end of a slot, and a slot lets so many of them go on:
 * events go on arriving, at a small price. Requests that are made together are recorded together, in one transaction.
 */
const SLOT_MS = 250
const STEPS_OF_SLOT = 20

/** `now`: a clock in milliseconds that never goes back. */
export function createYielding(now = () => performance.now()): Yielding {
  let lateUntil = 0
  let steps = 0
  const isLate = () => now() < lateUntil
  return {
    isLate,
    noteRouted(waitedMs) {
      if (waitedMs > LATE_MS) lateUntil = now() + STAYS_LATE_MS
    },
    async mayWork() {
      if (!isLate()) return
      const asked = now()
      steps = Math.max(steps, Math.floor(asked / SLOT_MS) * STEPS_OF_SLOT) + 1
      await sleep(Math.ceil(steps / STEPS_OF_SLOT) * SLOT_MS - asked)
    },
  }
}
