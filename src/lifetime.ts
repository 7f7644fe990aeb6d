import { setTimeout as sleep } from 'node:timers/promises'
import { within } from './deadline.ts'
import type { Logger } from './logger.ts'

/** The parts of a process that must be released before it ends. */
export type Lifetime = {
  /** Registers how to release a part. To be called right after the part was created. */
  onStop(name: string, release: () => unknown): void
  /** Aborts the moment that the process begins to end, while all parts still work. */
  ending: AbortSignal
  /**
   * Begins the end, and `delayMs` later releases all parts one after another, the part created last first. A part that
   * fails, or that takes more than half of the time left, is logged and abandoned, so that every part gets its turn.
   * Resolves within `delayMs + deadlineMs` and never rejects; a second call waits for the first.
   */
  stop(deadlineMs: number, delayMs?: number): Promise<void>
}

type Part = { name: string; release: () => unknown }

/** Creates a lifetime without parts. */
export function createLifetime(log: Logger): Lifetime {
  const parts: Part[] = []
  const ending = new AbortController()
  let stopping: Promise<void> | undefined

  async function unwind(deadlineMs: number, delayMs: number): Promise<void> {
    ending.abort()
    if (delayMs > 0) await sleep(delayMs)
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
    ending: ending.signal,
    stop: (deadlineMs, delayMs = 0) => {
      stopping ??= unwind(deadlineMs, delayMs)
      return stopping
    },
  }
}

/** How a process ends when it is asked to. */
export type Ending = {
  /** For the parts, after the delay. */
  deadlineMs: number
  /** How long all parts go on, so that others notice that this process ends; default: 0. */
  delayMs?: number
  exit: (code: number) => void
  log?: Logger
}

/**
 * On SIGTERM or SIGINT, stops the lifetime and then calls `exit(0)`. A second signal calls `exit(1)` at once. The log
 * says when the end begins, and when it is over.
 */
export function stopOnSignals(lifetime: Lifetime, { deadlineMs, delayMs = 0, exit, log }: Ending): void {
  let asked = false
  const onSignal = async (signal: NodeJS.Signals) => {
    if (asked) return exit(1)
    asked = true
    const began = performance.now()
    log?.info({ signal, delaySeconds: delayMs / 1_000 }, 'Usher stops: it is not ready any more')
    await lifetime.stop(deadlineMs, delayMs)
    log?.info({ seconds: Math.round(performance.now() - began) / 1_000 }, 'Usher has stopped')
    exit(0)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
}
