import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../db/client.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { isWrongClock } from '../rules/clock-skew.ts'
import { measureSkew } from './measure-skew.ts'

type Parts = {
  db: Db
  /** This machine's time, in milliseconds. */
  now: () => number
  /** Workers that must not run by a wrong clock. They are paused until the first comparison. */
  workers: { pause(): void; resume(): void } | undefined
  metrics: Pick<Metrics, 'clockSkew'>
  log: Logger
}

export type ClockWatch = {
  /** Seconds that this clock was ahead of the database's at the last comparison; undefined before the first. */
  skew(): number | undefined
  /** @throws Error while the clock is wrong */
  expectRight(): Promise<void>
  stop(): void
}

const WARN_SECONDS = 1
const COMPARE_EVERY_MS = 60_000
/** Until the first answer of the database, and while the workers are paused. */
const COMPARE_SOON_MS = 2_000

/**
 * Compares this machine's clock with the database's every minute, and pauses the workers while they differ by more than
 * 5 s; a difference of more than 1 s is a warning in the log. BullMQ judges locks on PostgreSQL, and delayed jobs on both
 * stores, by the clock of its own process: a worker whose clock was 60 s ahead took jobs from healthy workers within 3 s.
 */
export function watchClock({ db, now, workers, metrics, log }: Parts): ClockWatch {
  const stopped = new AbortController()
  const report = createReport(log)
  let skew: number | undefined

  const compare = async () => {
    const wasWrong = isWrong(skew)
    skew = await measureSkew(db, now)
    metrics.clockSkew.set(skew)
    if (stopped.signal.aborted) return
    if (isWrong(skew)) workers?.pause()
    else workers?.resume()
    report(skew, wasWrong)
  }
  const watch = async () => {
    while (!stopped.signal.aborted) {
      // While the database is away, which others report, the last comparison stands.
      await compare().catch(() => undefined)
      const wait = skew === undefined || isWrong(skew) ? COMPARE_SOON_MS : COMPARE_EVERY_MS
      await sleep(wait, undefined, { signal: stopped.signal }).catch(() => undefined)
    }
  }
  workers?.pause()
  void watch()
  return {
    skew: () => skew,
    expectRight: async () => {
      if (isWrong(skew)) throw new Error(`this machine's clock is ${skew} s ahead of the database's`)
    },
    stop: () => stopped.abort(),
  }
}

function isWrong(skew = 0): boolean {
  return isWrongClock(skew)
}

/** Logs the result of a comparison. Lines about a wrong clock come at most once a minute. */
function createReport(log: Logger): (skew: number, wasWrong: boolean) => void {
  let quietUntil = 0
  const isQuiet = () => {
    if (performance.now() < quietUntil) return true
    quietUntil = performance.now() + 60_000
    return false
  }
  return (skewSeconds, wasWrong) => {
    if (isWrong(skewSeconds)) {
      if (isQuiet()) return
      log.error(
        { skewSeconds },
        "this machine's clock is wrong: its API changes nothing and its workers pause until the clock is corrected",
      )
    } else if (wasWrong) {
      log.info({ skewSeconds }, "this machine's clock is right again")
    } else if (Math.abs(skewSeconds) > WARN_SECONDS && !isQuiet()) {
      log.warn(
        { skewSeconds },
        "this machine's clock is inaccurate; beyond 5 s its API changes nothing and its workers pause",
      )
    }
  }
}
