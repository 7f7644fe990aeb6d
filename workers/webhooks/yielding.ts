import { setTimeout as sleep } from 'node:timers/promises'

/** How posting yields to routing in one process: both use the same processor and the same database. */
export type Yielding = {
  /** Messages were routed; the newest one of their batch had waited so long since its receipt. */
  noteRouted(waitedMs: number): void
  /** Resolves when the process may take lanes, or make its next request: at once, unless routing is late. */
  mayWork(): Promise<void>
}

/** If also the newest message of a batch waited longer, routing does not keep up with what arrives. */
const LATE_MS = 300
/** Routing counts as late for so long after such a batch. */
const STAYS_LATE_MS = 1_000
/** Takes and requests of a process a second while routing is late: events go on arriving, at a small price. */
const STEPS_WHILE_LATE = 100

/** `now`: a clock in milliseconds that never goes back. */
export function createYielding(now = () => performance.now()): Yielding {
  let lateUntil = 0
  let next = 0
  return {
    noteRouted(waitedMs) {
      if (waitedMs > LATE_MS) lateUntil = now() + STAYS_LATE_MS
    },
    async mayWork() {
      const asked = now()
      if (asked >= lateUntil) return
      next = Math.max(next, asked) + 1_000 / STEPS_WHILE_LATE
      await sleep(next - asked)
    },
  }
}
