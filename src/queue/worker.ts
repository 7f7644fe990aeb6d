import { setTimeout as sleep } from 'node:timers/promises'
import { type Job, Worker } from 'bullmq'
import { sqlState } from '../db/pg-errors.ts'
import { succeeds } from '../deadline.ts'
import type { Logger } from '../logger.ts'
import { oncePerSecond } from '../once-per-second.ts'
import { type Engine, ping } from './connection.ts'
import { keep } from './keep.ts'
import { CANARY, type Jobs, type QueueName } from './names.ts'

export type QueueWorker = {
  /** Resolves when it takes jobs for the first time, or is closed before that. */
  ready(): Promise<void>
  /** Takes no more jobs until `resume`, and looks for no stalled ones; those at work go on. */
  pause(): void
  resume(): void
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
  /** Records that a canary came through this queue. */
  onCanary: (queue: N) => Promise<void>
  log: Logger
}

type OpenWorker = { worker: Worker; disconnect(): void }

/**
 * The job of a worker that died starts again after lock and check: within 6 s. A lock must outlast the clocks' differences
 * (5 s, `watchClock`), or jobs are done twice in vain. With `maxStalledCount` 1, the default, two deaths make a job fail
 * for good whatever its attempts.
 */
const LIMITS = { lockDuration: 5_000, stalledInterval: 1_000, maxStalledCount: 5, drainDelay: 2 }

const RETRY_MS = 500

/** What BullMQ's stores answer when there is none: no data, no id, no rate limit, nothing delayed. */
const NO_JOB = [null, null, 0, 0]

/**
 * Works on one queue, from the moment its store answers until closed, in the background. `process` gets each job
 * at least once; when it rejects, the job is tried again as its options say and then kept as failed.
 */
export function createWorker<N extends QueueName>(options: WorkerOptions<N>): QueueWorker {
  const { engine, name } = options
  const log = options.log.child({ worker: name })
  const running = new Set<Promise<void>>()
  let paused = false
  const process = async (job: Job<Jobs[N]>) => {
    const work = job.name === CANARY ? options.onCanary(name) : options.process(job)
    running.add(work)
    try {
      await work
    } catch (error) {
      throw withoutValues(error)
    } finally {
      running.delete(work)
    }
  }
  const kept = keep<OpenWorker>(
    engine,
    {
      build: () => openWorker({ ...options, process, log }, () => paused),
      start: (open) => start(open, () => paused),
      probe: (open) => probe(engine, open),
      drop: cut,
    },
    log,
  )
  return {
    ready: () => kept.ready,
    pause() {
      paused = true
      void kept.current()?.worker.pause(true)
    },
    resume() {
      paused = false
      void kept.current()?.worker.resume()
    },
    async close(deadlineMs) {
      kept.stop()
      const open = kept.current()
      if (open === undefined) return
      await succeeds(deadlineMs, () => finish(engine, open.worker, running))
      await cut(open)
    },
  }
}

function openWorker<N extends QueueName>(options: WorkerOptions<N>, isPaused: () => boolean): OpenWorker {
  const { engine, name, concurrency, process, log } = options
  const warn = oncePerSecond(log)
  const connection = engine.connectWorker()
  const limits = { ...LIMITS, runRetryDelay: RETRY_MS, concurrency, autorun: false }
  const worker = new Worker(
    name,
    process,
    { ...connection.options, ...limits },
    unhurried(engine.backend, isPaused),
  )
  const run = worker.run.bind(worker)
  // `resume` of BullMQ runs the loop again and leaves what that throws to nobody.
  worker.run = () => run().catch((err) => void worker.emit('error', err))
  worker.on('error', (err) => warn(err, 'trouble with its store'))
  worker.on('failed', (job, err) =>
    // What a job carries is ids: those by which the log of one delivery, or one send, is found.
    warn(err, `job ${job?.name} ${job?.id} failed, attempt ${job?.attemptsMade}`, { job: job?.data }),
  )
  return { worker, disconnect: connection.disconnect }
}

/**
 * BullMQ waits 15 s after a refused connection and not at all after any other failure to take a job: 6,000
 * connections a second against a PostgreSQL that was starting up. Here each failure costs half a second. And a
 * worker that waits for a job when it is paused takes it all the same: here it does not.
 */
function unhurried(factory: Engine['backend'], isPaused: () => boolean): Engine['backend'] {
  return (...args) => {
    const backend = factory(...args)
    const take = backend.moveToActive.bind(backend)
    backend.moveToActive = async (...job) => {
      if (isPaused()) return NO_JOB
      try {
        return await take(...job)
      } catch (error) {
        await sleep(RETRY_MS)
        throw error
      }
    }
    return backend
  }
}

/** The queue keeps message and stack of a failure, and those of a database error can show what rows hold. */
function withoutValues(error: unknown): unknown {
  const state = sqlState(error)
  const isQuery = error instanceof Error && error.message.startsWith('Failed query')
  return state || isQuery ? new Error(`database error ${state ?? ''}`.trimEnd(), { cause: error }) : error
}

async function start({ worker }: OpenWorker, isPaused: () => boolean): Promise<void> {
  await worker.waitUntilReady()
  if (isPaused()) await worker.pause(true)
  else void worker.run()
}

/** On PostgreSQL nothing else replaces a LISTEN connection that went silent; to name it is a query over it. */
async function probe({ kind }: Engine, { worker }: OpenWorker): Promise<void> {
  if (!worker.isRunning() && !worker.isPaused()) throw new Error('the loop that takes jobs has ended')
  const backend = worker.getBackend()
  await backend.getCounts(['active'])
  if (kind === 'postgres') await backend.setName(backend.clientName())
}

/** BullMQ's orderly close never returns while Redis is away, so it is tried only when the store answers. */
async function finish(engine: Engine, worker: Worker, running: Set<Promise<void>>): Promise<void> {
  if (await succeeds(1_000, () => ping(engine))) await worker.close()
  else await worker.pause(true)
  await Promise.allSettled(running)
}

/** Lets go at once; jobs at work are done again elsewhere. */
async function cut({ worker, disconnect }: OpenWorker): Promise<void> {
  worker.close(true).catch(() => undefined)
  disconnect()
}
