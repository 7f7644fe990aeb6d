/** How posting yields to routing in one process: both use the same processor and the same database. */
export type Yielding = {
  /** Messages were routed; the newest one of their batch had waited so long since its receipt. */
  noteRouted(waitedMs: number): void
  /** Whether posting waits, because routing was late. */
  isHeldBack(): boolean
  /** Resolves when the process may take lanes, or make its next request: at once, unless routing was late. */
  mayWork(): Promise<void>
}

/** If also the newest message of a batch waited longer, routing does not keep up with what arrives. */
const LATE_MS = 500
/**
 * While routing is late, the pace of posting is halved every so often, down to the least. It grows again as soon as routing
 * keeps up: by addition, as that of TCP after a loss (RFC 5681), so that posting does not take at once what it just gave back.
 */
const HALVE_EVERY_MS = 100
const MORE_PER_SECOND = 500
/** Takes and requests a second: more than one process can make. */
const MOST_PER_SECOND = 4_000
const LEAST_PER_SECOND = 80
/** Steps that had to wait start together, at the beginning of a slot: records of answers that come together share a transaction. */
const SLOT_MS = 100

/** `now`: a clock in milliseconds that never goes back. */
export function createYielding(now = () => performance.now()): Yielding {
  const pace = createPace(now)
  const slots = createSlots(pace.perSecond, now)
  let timer: NodeJS.Timeout | undefined
  const waiting: (() => void)[] = []

  function letSome(): void {
    for (const go of waiting.splice(0, slots.take(waiting.length))) go()
    if (waiting.length > 0) return
    clearInterval(timer)
    timer = undefined
  }
  return {
    isHeldBack: () => waiting.length > 0,
    noteRouted(waitedMs) {
      if (waitedMs > LATE_MS) pace.halve()
    },
    async mayWork() {
      if (waiting.length === 0 && slots.take(1) === 1) return
      await new Promise<void>((resolve) => {
        waiting.push(resolve)
        timer ??= setInterval(letSome, SLOT_MS)
      })
    },
  }
}

/** The pace of posting, which grows by itself. */
function createPace(now: () => number) {
  let pace = MOST_PER_SECOND
  let halvedAt = Number.NEGATIVE_INFINITY
  const perSecond = () => Math.min(MOST_PER_SECOND, pace + ((now() - halvedAt) / 1_000) * MORE_PER_SECOND)
  return {
    perSecond,
    halve() {
      if (now() - halvedAt < HALVE_EVERY_MS) return
      pace = Math.max(LEAST_PER_SECOND, perSecond() / 2)
      halvedAt = now()
    },
  }
}

/** Gives out the steps of each slot. */
function createSlots(perSecond: () => number, now: () => number) {
  let slot = 0
  let given = 0
  return {
    /** Takes at most so many steps of the present slot, and gives how many. */
    take(wanted: number): number {
      const present = Math.floor(now() / SLOT_MS)
      if (present !== slot) given = 0
      slot = present
      const pace = perSecond()
      if (pace >= MOST_PER_SECOND) return wanted
      const taken = Math.max(0, Math.min(wanted, Math.ceil((pace * SLOT_MS) / 1_000) - given))
      given += taken
      return taken
    },
  }
}
