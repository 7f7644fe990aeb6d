import { setTimeout as sleep } from 'node:timers/promises'
import { SetupError } from '../src/config.ts'
import { failedOf, type Probe, type Probed, reasonOf, runProbes } from '../src/http/run-probes.ts'
import type { Logger } from '../src/logger.ts'

type Parts = {
  probes: Probe[]
  /** What the log lines about this process name: its role and its addresses. */
  about: object
  log: Logger
}

const LOOK_EVERY_MS = 60_000
/** Until all probes succeed. */
const LOOK_SOON_MS = 500
/** A start that takes longer says what it waits for; a mistake of the installation is named at once. */
const PATIENT_MS = 5_000
const REPEAT_MS = 60_000

/**
 * Runs the probes when the process starts and every minute, and logs what an operator must know: that the process is up,
 * which is when all probes have succeeded, or what it waits for; what fails later, with cause and remedy; and that it
 * works again. A failure is one line, and then at most one a minute.
 */
export function watchReadiness({ probes, about, log }: Parts): { stop(): void } {
  const stopped = new AbortController()
  const report = createReport({ about, log })
  const watch = async () => {
    while (!stopped.signal.aborted) {
      const failed = failedOf(await runProbes(probes))
      if (!stopped.signal.aborted) report(failed)
      const wait = failed.length === 0 ? LOOK_EVERY_MS : LOOK_SOON_MS
      await sleep(wait, undefined, { signal: stopped.signal }).catch(() => undefined)
    }
  }
  log.info(about, 'Usher listens; it is up when its database, its queue and its workers answer')
  void watch()
  return { stop: () => stopped.abort() }
}

/** Creates the function that logs the outcome of each look. */
function createReport({ about, log }: Omit<Parts, 'probes'>): (failed: Probed[]) => void {
  const began = performance.now()
  let isUp = false
  let said = ''
  let quietUntil = 0

  const reportSuccess = () => {
    if (!isUp) log.info(about, 'Usher is up')
    else if (said !== '') log.info(about, 'Usher is ready again')
    isUp = true
    said = ''
  }
  const reportFailure = (failed: Probed[], [first] = failed) => {
    const now = performance.now()
    const reasons = failed.map(reasonOf)
    const isStarting = !isUp && now - began < PATIENT_MS
    if (isStarting && !failed.some(({ failure }) => failure instanceof SetupError)) return
    const words = failed.map(({ name }, i) => reasons[i] ?? name).join('; ')
    if (words === said && now < quietUntil) return
    said = words
    quietUntil = now + REPEAT_MS
    const about = { err: first?.failure, probes: failed.map(({ name }) => name) }
    log.error(about, `Usher ${isUp ? 'is not ready' : 'waits'}: ${words}`)
  }
  return (failed) => (failed.length === 0 ? reportSuccess() : reportFailure(failed))
}
