import { within } from './deadline.ts'
import type { Logger } from './logger.ts'

/** The parts of a process that must be released before it ends. */
export type Lifetime = {
  /** Registers how to release a part. To be called right after the part was created. */
  onStop(name: string, release: () => unknown): void
  /**
   * Releases all parts one after another, the part created last first. A part that fails, or that takes more than half
   * of the time left, is logged and abandoned, so that every part gets its turn. Resolves within `deadlineMs` and never
   * rejects; a second call waits for the first.
   */
  stop(deadlineMs: number): Promise<void>
}

type Part = { name: string; release: () => unknown }

/** Creates a lifetime without parts. */
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
      log.error({ err, part: name }, 'a part of the process did not stop cleanly')
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
 * On SIGTERM or SIGINT, stops the lifetime within `deadlineMs` and then calls `exit(0)`. A second signal calls `exit(1)`
 * at once.
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
