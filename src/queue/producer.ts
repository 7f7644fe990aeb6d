import { type DefaultJobOptions, Queue } from 'bullmq'
import { succeeds, within } from '../deadline.ts'
import type { Logger } from '../logger.ts'
import { oncePerSecond } from '../once-per-second.ts'
import type { Engine } from './connection.ts'
import { type Kept, keep } from './keep.ts'
import { CANARY, type Jobs, QUEUE_NAMES, type QueueName } from './names.ts'

/** Tells the queues that there is work. PostgreSQL is the truth, so a job that gets lost is only late. */
export type Producer = {
  /** One job for a batch of inbox rows. False, within 300 ms, when it may not have been queued. Never rejects. */
  enqueueDeliveries(ids: number[], options?: { suspect: true }): Promise<boolean>
  /** One job for each outbox row, after a delay in ms. False, as above, when they may not have been queued. */
  enqueueOutbound(rows: Jobs['outbound'][], delay?: number): Promise<boolean>
  /** A canary at the head of a queue, unless one of the same turn is there. False, as above. */
  enqueueCanary(queue: QueueName, turn: number): Promise<boolean>
  /** Jobs that wait in a queue; undefined, within 300 ms, when it does not say. Never rejects. */
  waiting(name: QueueName): Promise<number | undefined>
  /** The queue as it is now: undefined until its store has answered, another object after a rebuild. */
  queue(name: QueueName): Queue | undefined
  /** Those of the three queues that are there now, for the dashboard and the depths. */
  queues(): Queue[]
  /** Resolves within `deadlineMs`, whatever state the store is in. Never rejects. */
  close(deadlineMs: number): Promise<void>
}

const ENQUEUE_MS = 300
const DROP_MS = 1_000

const JOB_OPTIONS: DefaultJobOptions = {
  attempts: 8,
  backoff: { type: 'exponential', delay: 100, jitter: 0.5 },
  removeOnComplete: true,
  removeOnFail: { count: 5_000 },
}

/**
 * Opens the queues in the background; until their store answers, and whenever it does not, enqueueing is refused
 * at once. A refusal after a time-out is a maybe: the job can exist.
 */
export function createProducer({ engine, log }: { engine: Engine; log: Logger }): Producer {
  const warn = oncePerSecond(log)
  const kept = Object.fromEntries(
    QUEUE_NAMES.map((name) => [name, keepQueue(engine, name, log, warn)]),
  ) as Record<QueueName, Kept<OpenQueue>>

  const enqueue = async (name: QueueName, add: (queue: Queue) => Promise<unknown>) => {
    const open = kept[name].current()
    if (open === undefined) return false
    try {
      await within(ENQUEUE_MS, () => add(open.queue))
      return true
    } catch (err) {
      warn(err, `queue ${name}: jobs were not queued, their rows will be found`)
      return false
    }
  }
  const open = () => QUEUE_NAMES.flatMap((name) => kept[name].current() ?? [])
  return {
    // On PostgreSQL, `add` takes 1.5 ms and `addBulk` 7 ms, for one job as for twenty.
    enqueueDeliveries: (ids, options) =>
      enqueue('deliveries', (queue) => queue.add('route', { ids, ...options } satisfies Jobs['deliveries'])),
    enqueueOutbound: (rows, delay = 0) =>
      enqueue('outbound', (queue) =>
        queue.addBulk(rows.map((data) => ({ name: 'send', data, opts: { delay } }))),
      ),
    // Ahead of the backlog, whose age is a figure of its own, and never delayed: `deliveries` must hold no such job.
    enqueueCanary: (name, turn) =>
      enqueue(name, (queue) =>
        queue.add(CANARY, {}, { jobId: `canary-${turn}`, lifo: true, attempts: 1, removeOnFail: true }),
      ),
    async waiting(name) {
      const queue = kept[name].current()?.queue
      return queue && within(ENQUEUE_MS, () => queue.getWaitingCount()).catch(() => undefined)
    },
    queue: (name) => kept[name].current()?.queue,
    queues: () => open().map(({ queue }) => queue),
    async close(deadlineMs) {
      for (const name of QUEUE_NAMES) kept[name].stop()
      await Promise.all(open().map((queue) => drop(queue, deadlineMs)))
    },
  }
}

type OpenQueue = { queue: Queue; disconnect(): void }

function keepQueue(engine: Engine, name: QueueName, log: Logger, warn: ReturnType<typeof oncePerSecond>) {
  const build = (): OpenQueue => {
    const { options, disconnect } = engine.connectQueue()
    const queue = new Queue(name, { ...options, defaultJobOptions: JOB_OPTIONS }, engine.backend)
    queue.on('error', (err) => warn(err, `queue ${name}`))
    return { queue, disconnect }
  }
  return keep<OpenQueue>(
    engine,
    {
      build,
      start: ({ queue }) => queue.waitUntilReady(),
      probe: ({ queue }) => queue.getJobCounts('active'),
      drop: (open) => drop(open, DROP_MS),
    },
    log.child({ queue: name }),
  )
}

async function drop({ queue, disconnect }: OpenQueue, deadlineMs: number): Promise<void> {
  await succeeds(deadlineMs, () => queue.close())
  disconnect()
}
