import type { Logger } from '../../logger.ts'

type PollerParts = {
  /** Runs at each tick; `n` counts the ticks from 1. An error is logged and does not stop the poller. */
  onTick: (n: number) => Promise<void>
  /** Runs when the poller stops. */
  onStop: () => void
  /** True while somebody watches. */
  isWatched: () => boolean
  log: Logger
}

const TICK_MS = 1_000
/** The poller runs on for this long after the last look, so that a page that is opened again shows no gap. */
const LINGER_MS = 60_000

/** A poller that runs only while somebody watches. `look` starts it, or keeps it running for another minute. */
export function createPoller({ onTick, onStop, isWatched, log }: PollerParts): { look: () => void } {
  let isRunning = false
  let lookedAt = 0
  let ticks = 0

  const tick = async () => {
    ticks += 1
    try {
      await onTick(ticks)
    } catch (err) {
      log.warn({ err }, 'the console could not be updated')
    }
    if (isWatched() || Date.now() - lookedAt < LINGER_MS) return void setTimeout(tick, TICK_MS).unref()
    isRunning = false
    onStop()
  }
  return {
    look: () => {
      lookedAt = Date.now()
      if (isRunning) return
      isRunning = true
      void tick()
    },
  }
}
