import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../db/client.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { measureSkew } from './measure-skew.ts'

type Parts = {
  db: Db
  /** This machine's time, in milliseconds. */
  now: () => number
  /** What must not run on a wrong clock, and does not before the first comparison; called at every look. */
  workers: { pause(): void; resume(): void } | undefined
  metrics: Pick<Metrics, 'clockSkew'>
  log: Logger
}

export type ClockWatch = {
  /** Seconds ahead of the database at the last comparison; undefined before the first. */
  skew(): number | undefined
  /** @throws Error while the clock is too wrong to work by */
  expectRight(): Promise<void>
  stop(): void
}

const WARN_SECONDS = 1
const PAUSE_SECONDS = 5
const LOOK_MS = 60_000
/** Until the first answer, and while paused. */
const IMPATIENT_MS = 2_000

/**
 * Compares this machine's clock with the database's, every minute. BullMQ judges locks on PostgreSQL, and what is
 * delayed on both stores, by its process's own clock: a worker 60 s ahead took jobs from healthy ones within 3 s.
 * So at more than 5 s the workers pause until it is mended; more than 1 s is a warning.
 */
export function watchClock({ db, now, workers, metrics, log }: Parts): ClockWatch {
  const ended = new AbortController()
  let skew: number | undefined
  const isWrong = () => Math.abs(skew ?? 0) > PAUSE_SECONDS
  const tell = oncePerMinute()

  const look = async () => {
    const wasWrong = isWrong()
    skew = await measureSkew(db, now)
    metrics.clockSkew.set(skew)
    if (ended.signal.aborted) return
    const told = { skewSeconds: skew }
    if (isWrong()) {
      workers?.pause()
      tell(() => log.error(told, "this machine's clock is wrong: its workers pause until it is mended"))
    } else {
      if (wasWrong) log.info(told, "this machine's clock is right again: its workers go on")
      else if (Math.abs(skew) > WARN_SECONDS)
        tell(() => log.warn(told, "this machine's clock is off: mend it before its workers must pause"))
      workers?.resume()
    }
  }
  const live = async () => {
    while (!ended.signal.aborted) {
      // A database that is away is told by others; the last comparison stands.
      await look().catch(() => undefined)
      const wait = skew === undefined || isWrong() ? IMPATIENT_MS : LOOK_MS
      await sleep(wait, undefined, { signal: ended.signal }).catch(() => undefined)
    }
  }
  workers?.pause()
  void live()
  return {
    skew: () => skew,
    expectRight: async () => {
      if (isWrong()) throw new Error(`this machine's clock is ${skew} s ahead of the database's`)
    },
    stop: () => ended.abort(),
  }
}

function oncePerMinute(): (say: () => void) => void {
  let quietUntil = 0
  return (say) => {
    if (performance.now() < quietUntil) return
    quietUntil = performance.now() + 60_000
    say()
  }
}
