import type { Logger } from './logger.ts'

/**
 * Logs the errors of one source as warnings, at most one line a second; `err` may be undefined. Each line says in `suppressed` how many errors
 * were left out since the line before. Without this bound, a Redis that is out of memory makes every worker log 22,000
 * lines a second.
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
    log.warn({ ...(err !== undefined && { err }), suppressed, ...about }, message)
    quietUntil = now + 1_000
    suppressed = 0
  }
}
