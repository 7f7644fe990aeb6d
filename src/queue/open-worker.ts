import { type Job, Worker } from 'bullmq'
import { succeeds } from '../deadline.ts'
import type { Logger } from '../logger.ts'
import { oncePerSecond } from '../once-per-second.ts'
import { type Engine, ping } from './connection.ts'
import { RETRY_MS, takeWithPauses } from './take-jobs.ts'

/** A BullMQ worker, and how to cut the connections that it leaves open. */
export type OpenWorker = { worker: Worker; disconnect(): void }

/**
 * The job of a worker that died starts again when its lock has expired and another worker has looked for stalled jobs:
 * within 6 s. A lock must last longer than clocks may differ (5 s, `watchClock`), or healthy jobs are taken for stalled.
 * With the default `maxStalledCount` of 1, two deaths of workers would make a job fail for good, whatever its attempts.
 */
const LIMITS = { lockDuration: 5_000, stalledInterval: 1_000, maxStalledCount: 5, drainDelay: 2 }

type Options = {
  engine: Engine
  name: string
  concurrency: number
  process: (job: Job) => Promise<void>
  log: Logger
}

/** Builds a worker that does not run yet. Its errors and failed jobs are logged. */
export function openWorker(options: Options, isPaused: () => boolean): OpenWorker {
  const { engine, name, concurrency, process, log } = options
  const warn = oncePerSecond(log)
  const connection = engine.connectWorker()
  const limits = { ...LIMITS, runRetryDelay: RETRY_MS, concurrency, autorun: false }
  const worker = new Worker(
    name,
    process,
    { ...connection.options, ...limits },
    takeWithPauses(engine.backend, isPaused),
  )
  const run = worker.run.bind(worker)
  // BullMQ's `resume` calls `run` and leaves its rejection unhandled.
  worker.run = () => run().catch((err) => void worker.emit('error', err))
  worker.on('error', (err) => warn(err, 'error of the worker'))
  worker.on('failed', (job, err) =>
    // The data of a job is ids: they lead to the other log lines of the same delivery or send.
    warn(err, `job ${job?.name} ${job?.id} failed, attempt ${job?.attemptsMade}`, { job: job?.data }),
  )
  return { worker, disconnect: connection.disconnect }
}

/** Resolves when the worker is connected and takes jobs, or is paused. */
export async function startWorker({ worker }: OpenWorker, isPaused: () => boolean): Promise<void> {
  await worker.waitUntilReady()
  if (isPaused()) await worker.pause(true)
  else void worker.run()
}

/**
 * Resolves when the worker is alive. On PostgreSQL nothing else notices that the connection with its LISTEN fell silent;
 * naming the client is a query over that connection.
 * @throws Error when the worker's loop has ended, or what the store or the network says.
 */
export async function probeWorker({ kind }: Engine, { worker }: OpenWorker): Promise<void> {
  if (!worker.isRunning() && !worker.isPaused()) throw new Error('the loop that takes jobs has ended')
  const backend = worker.getBackend()
  await backend.getCounts(['active'])
  if (kind === 'postgres') await backend.setName(backend.clientName())
}

/** Ends a worker after its jobs in progress. BullMQ's own close never returns while Redis is away. */
export async function closeInOrder(
  engine: Engine,
  { worker }: OpenWorker,
  running: Set<Promise<void>>,
): Promise<void> {
  if (await succeeds(1_000, () => ping(engine))) await worker.close()
  else await worker.pause(true)
  await Promise.allSettled(running)
}

/** Cuts the connections of a worker at once. Its jobs in progress stall and are done again by another worker. */
export async function cutWorker({ worker, disconnect }: OpenWorker): Promise<void> {
  worker.close(true).catch(() => undefined)
  disconnect()
}
