import type { Job } from 'bullmq'
import { succeeds } from '../deadline.ts'
import type { Logger } from '../logger.ts'
import type { Engine } from './connection.ts'
import { withoutValues } from './job-errors.ts'
import { keep } from './keep.ts'
import { CANARY, type Jobs, type QueueName } from './names.ts'
import {
  closeInOrder,
  cutWorker,
  type OpenWorker,
  openWorker,
  probeWorker,
  startWorker,
} from './open-worker.ts'

export type QueueWorker = {
  /** Resolves when the worker takes jobs for the first time, or is closed before that. */
  ready(): Promise<void>
  /** Takes no more jobs until `resume`, and looks for no stalled ones. Jobs in progress go on. */
  pause(): void
  resume(): void
  /**
   * Takes no more jobs and waits for those in progress. Resolves within `deadlineMs`, whatever the state of the store; a
   * job that is unfinished by then stalls and is done again by another worker. Never rejects.
   */
  close(deadlineMs: number): Promise<void>
}

type WorkerOptions<N extends QueueName> = {
  engine: Engine
  name: N
  /** Jobs in progress at the same time, at most. */
  concurrency: number
  process: (job: Job<Jobs[N]>) => Promise<void>
  /** Records that a canary came through this queue. */
  onCanary: (queue: N) => Promise<void>
  log: Logger
}

/**
 * Works on one queue in the background, from the moment its store answers until it is closed. `process` gets each job at
 * least once. A job whose `process` rejects is tried again as the job's options say, and is then kept as failed.
 */
export function createWorker<N extends QueueName>(options: WorkerOptions<N>): QueueWorker {
  const { engine, name, concurrency } = options
  const log = options.log.child({ worker: name })
  const jobs = trackJobs(options)
  let isPaused = false
  const kept = keep<OpenWorker>(
    engine,
    {
      build: () => openWorker({ engine, name, concurrency, process: jobs.process, log }, () => isPaused),
      start: (open) => startWorker(open, () => isPaused),
      probe: (open) => probeWorker(engine, open),
      drop: cutWorker,
    },
    log,
  )
  return {
    ready: () => kept.ready,
    pause() {
      isPaused = true
      void kept.current()?.worker.pause(true)
    },
    resume() {
      isPaused = false
      void kept.current()?.worker.resume()
    },
    async close(deadlineMs) {
      kept.stop()
      const open = kept.current()
      if (open === undefined) return
      await succeeds(deadlineMs, () => closeInOrder(engine, open, jobs.running))
      await cutWorker(open)
    },
  }
}

/** The processing of jobs, and the set of those in progress: a replaced BullMQ worker no longer waits for its own. */
function trackJobs<N extends QueueName>({ name, process, onCanary }: WorkerOptions<N>) {
  const running = new Set<Promise<void>>()
  return {
    running,
    async process(job: Job<Jobs[N]>): Promise<void> {
      const work = job.name === CANARY ? onCanary(name) : process(job)
      running.add(work)
      try {
        await work
      } catch (error) {
        throw withoutValues(error)
      } finally {
        running.delete(work)
      }
    },
  }
}
