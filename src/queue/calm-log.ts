import type { Logger } from '../logger.ts'

/**
 * Warns about errors of one source at most once a second; each line tells how many were left out since the last.
 * A full Redis alone raises 22,000 errors a second in every worker.
 */
export function oncePerSecond(log: Logger): (err: unknown, message: string, about?: object) => void {
  let quietUntil = 0
  let suppressed = 0
  return (err, message, about) => {
    const now = performance.now()
    if (now < quietUntil) {
      suppressed += 1
      return
    }
    log.warn({ err, suppressed, ...about }, message)
    quietUntil = now + 1_000
    suppressed = 0
  }
}
