import { within } from './deadline.ts'
import type { Logger } from './logger.ts'

/** What a process has to let go of, and when. */
export type Lifetime = {
  /** Registers what releases a part; call it right after the part was made. */
  onStop(name: string, release: () => unknown): void
  /**
   * Releases all parts, the last made first, one after another. One that fails, or hangs for half of the time
   * left, is logged and left behind, so each gets its turn. Resolves within `deadlineMs`, never rejects; a
   * second call waits for the first.
   */
  stop(deadlineMs: number): Promise<void>
}

type Part = { name: string; release: () => unknown }

/** An empty lifetime. */
export function createLifetime(log: Logger): Lifetime {
  const parts: Part[] = []
  let stopping: Promise<void> | undefined

  async function unwind(deadlineMs: number): Promise<void> {
    const end = performance.now() + deadlineMs
    for (let part = parts.pop(); part; part = parts.pop()) {
      const left = end - performance.now()
      await release(part, parts.length > 0 ? left / 2 : left)
    }
  }

  async function release({ name, release }: Part, ms: number): Promise<void> {
    try {
      await within(ms, release)
    } catch (err) {
      log.error({ err, part: name }, 'a part did not stop cleanly')
    }
  }

  return {
    onStop: (name, release) => parts.push({ name, release }),
    stop: (deadlineMs) => {
      stopping ??= unwind(deadlineMs)
      return stopping
    },
  }
}

/**
 * Stops on SIGTERM or SIGINT and then calls `exit(0)`; a second signal calls `exit(1)` at once. `deadlineMs` is
 * for the whole stop.
 */
export function stopOnSignals(
  lifetime: Lifetime,
  { deadlineMs, exit }: { deadlineMs: number; exit: (code: number) => void },
): void {
  let asked = false
  const onSignal = () => {
    if (asked) return exit(1)
    asked = true
    void lifetime.stop(deadlineMs).then(() => exit(0))
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
}
