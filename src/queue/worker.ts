import { type Job, Worker } from 'bullmq'
import type { Logger } from '../logger.ts'
import { oncePerSecond } from './calm-log.ts'
import { type Engine, ping } from './connection.ts'
import { keep } from './keep.ts'
import type { Jobs, QueueName } from './names.ts'
import { succeeds } from './succeeds.ts'

export type QueueWorker = {
  /** Resolves when it takes jobs for the first time, or is closed before that. */
  ready(): Promise<void>
  /**
   * Takes no more jobs and waits for those at work. Resolves within `deadlineMs`, whatever state the store is in;
   * a job that is not done by then is done again elsewhere. Never rejects.
   */
  close(deadlineMs: number): Promise<void>
}

type WorkerOptions<N extends QueueName> = {
  engine: Engine
  name: N
  /** Most jobs at a time. */
  concurrency: number
  process: (job: Job<Jobs[N]>) => Promise<void>
  log: Logger
}

type OpenWorker = { worker: Worker; disconnect(): void }

/**
 * The job of a worker that died starts again after lock and check: within 20 s. With `maxStalledCount` 1, the
 * default, two deaths make a job fail for good whatever its attempts.
 */
const LIMITS = { lockDuration: 15_000, stalledInterval: 5_000, maxStalledCount: 5, drainDelay: 2 }

/**
 * Works on one queue, from the moment its store answers until closed, in the background. `process` gets each job
 * at least once; when it rejects, the job is tried again as its options say and then kept as failed.
 */
export function createWorker<N extends QueueName>(options: WorkerOptions<N>): QueueWorker {
  const { engine, name } = options
  const log = options.log.child({ worker: name })
  const running = new Set<Promise<void>>()
  const process = (job: Job<Jobs[N]>) => {
    const work = options.process(job).finally(() => running.delete(work))
    running.add(work)
    return work
  }
  const kept = keep<OpenWorker>(
    engine,
    { build: () => openWorker({ ...options, process, log }), start, probe, drop: cut },
    log,
  )
  return {
    ready: () => kept.ready,
    async close(deadlineMs) {
      kept.stop()
      const open = kept.current()
      if (open === undefined) return
      await succeeds(deadlineMs, () => finish(engine, open.worker, running))
      await cut(open)
    },
  }
}

function openWorker<N extends QueueName>(options: WorkerOptions<N>): OpenWorker {
  const { engine, name, concurrency, process, log } = options
  const warn = oncePerSecond(log)
  const connection = engine.connectWorker()
  const limits = { ...LIMITS, concurrency, autorun: false }
  const worker = new Worker(name, process, { ...connection.options, ...limits }, engine.backend)
  worker.on('error', (err) => warn(err, 'trouble with its store'))
  worker.on('failed', (job, err) =>
    warn(err, `job ${job?.name} ${job?.id} failed, attempt ${job?.attemptsMade}`),
  )
  return { worker, disconnect: connection.disconnect }
}

async function start({ worker }: OpenWorker): Promise<void> {
  await worker.waitUntilReady()
  worker.run().catch((err) => worker.emit('error', err))
}

async function probe({ worker }: OpenWorker): Promise<void> {
  if (!worker.isRunning()) throw new Error('the loop that takes jobs has ended')
  await worker.getBackend().getCounts(['active'])
}

/** BullMQ's orderly close never returns while Redis is away, so it is tried only when the store answers. */
async function finish(engine: Engine, worker: Worker, running: Set<Promise<void>>): Promise<void> {
  if (await succeeds(1_000, () => ping(engine))) return worker.close()
  await worker.pause(true)
  await Promise.allSettled(running)
}

/** Lets go at once; jobs at work are done again elsewhere. */
async function cut({ worker, disconnect }: OpenWorker): Promise<void> {
  worker.close(true).catch(() => undefined)
  disconnect()
}
