import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Probe, ReadableError } from '../../src/http/run-probes.ts'
import type { Logger } from '../../src/logger.ts'
import { projectRoot } from '../../src/project-root.ts'
import { forkWorkers, type WorkersChild } from './fork-workers.ts'
import type { FailedProbe, MetricValues } from './messages.ts'

type Parts = {
  /** The process is not started before this resolves. */
  migrated: Promise<unknown>
  log: Logger
  /** Its main module. */
  entry?: string
}

/** The process of the workers, as its parent knows it. */
export type KeptWorkers = {
  /** Fails while the process has ended, and when one of its own probes fails. */
  probe: Probe
  /** Its metrics; none when it does not answer within a second. */
  readMetrics(): Promise<MetricValues>
  /** Lets the process end its jobs, and resolves when it has ended. */
  stop(): Promise<void>
}

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 30_000
/** After so long, the end of a process is not part of a series of failures. */
const STEADY_MS = 60_000
/** A little less than what the lifetime of a process gives to one of its parts. */
const STOP_MS = 4_500

/**
 * Starts the process of the workers, and starts it again whenever it ends: after 0.5 s, and after twice as long each
 * time that it ended within a minute, up to 30 s. It never outlives this process.
 */
export function keepWorkers({ migrated, log, entry = findEntry() }: Parts): KeptWorkers {
  const stopping = new AbortController()
  let child: WorkersChild | undefined
  let lastEnd: string | undefined

  const runOnce = async () => {
    try {
      child = forkWorkers(entry, log)
      log.info({ pid: child.pid }, 'the process of the workers was started')
      return await child.ended
    } catch (error) {
      return (error as Error).message
    } finally {
      child = undefined
    }
  }
  const keep = async () => {
    for (let waitMs = 0; !stopping.signal.aborted; ) {
      const began = performance.now()
      lastEnd = await runOnce()
      if (stopping.signal.aborted) return
      const isSteady = performance.now() - began > STEADY_MS
      waitMs = waitMs === 0 || isSteady ? FIRST_WAIT_MS : Math.min(LONGEST_WAIT_MS, waitMs * 2)
      log.error({ end: lastEnd, waitMs }, 'the process of the workers has ended: it is started again')
      await sleep(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }
  migrated.then(keep, () => undefined)
  process.once('exit', () => child?.kill())
  return {
    probe: { name: 'workers', check: () => expectReady(child, lastEnd), vital: false },
    readMetrics: async () => child?.ask('metrics').catch(() => []) ?? [],
    async stop() {
      stopping.abort()
      await child?.stop(STOP_MS)
    },
  }
}

function findEntry(): string {
  return join(projectRoot(), 'dist/workers/workers-process.js')
}

async function expectReady(child: WorkersChild | undefined, lastEnd: string | undefined): Promise<void> {
  if (child?.hasStarted()) return expectNone(await child.ask('readiness'))
  if (lastEnd === undefined) throw new Error('the process of the workers has not started yet')
  throw new ReadableError(`the process of the workers has ended (${lastEnd}) and is started again`)
}

/** @throws ReadableError with the reasons that are known, else with the names of the probes. */
function expectNone(failed: FailedProbe[]): void {
  if (failed.length === 0) return
  const words = failed.map(({ name, reason }) => reason ?? `${name} failed`)
  throw new ReadableError(`the process of the workers: ${words.join('; ')}`)
}
