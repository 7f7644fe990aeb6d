/** How posting yields to routing in one process: both use the same processor and the same database. */
export type Yielding = {
  /** Messages were routed; the newest one of their batch had waited so long since its receipt. */
  noteRouted(waitedMs: number): void
  /** Whether posting is held back, because routing was late. */
  isHeldBack(): boolean
  /** Resolves when the process may take lanes, or make its next request: at once, unless posting is held back. */
  mayWork(): Promise<void>
}

/** If also the newest message of a batch waited longer, routing does not keep up with what arrives. */
const LATE_MS = 400
/**
 * While routing is late, the pace of posting is halved every so often, down to the least. It grows again as soon as routing
 * keeps up: by addition, as that of TCP after a loss (RFC 5681), so that posting does not take at once what it just gave back.
 */
const HALVE_EVERY_MS = 100
const MORE_PER_SECOND = 500
/** Takes and requests a second. A process that may do so many is not held back. */
const MOST_PER_SECOND = 4_000
const LEAST_PER_SECOND = 80
/** Those that wait go on together, because what is recorded together costs less. */
const SLOT_MS = 100

/** `now`: a clock in milliseconds that never goes back. */
export function createYielding(now = () => performance.now()): Yielding {
  let pace = MOST_PER_SECOND
  let changedAt = now()
  let halvedAt = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  const waiting: (() => void)[] = []

  function paceNow(): number {
    const grown = ((now() - changedAt) / 1_000) * MORE_PER_SECOND
    return Math.min(MOST_PER_SECOND, pace + grown)
  }
  const isHeldBack = () => paceNow() < MOST_PER_SECOND

  function letSome(): void {
    const most = isHeldBack() ? Math.ceil((paceNow() * SLOT_MS) / 1_000) : waiting.length
    for (const go of waiting.splice(0, most)) go()
    if (waiting.length > 0) return
    clearInterval(timer)
    timer = undefined
  }
  return {
    isHeldBack,
    noteRouted(waitedMs) {
      if (waitedMs <= LATE_MS || now() - halvedAt < HALVE_EVERY_MS) return
      pace = Math.max(LEAST_PER_SECOND, paceNow() / 2)
      changedAt = now()
      halvedAt = now()
    },
    async mayWork() {
      if (waiting.length === 0 && !isHeldBack()) return
      await new Promise<void>((resolve) => {
        waiting.push(resolve)
        timer ??= setInterval(letSome, SLOT_MS)
      })
    },
  }
}
