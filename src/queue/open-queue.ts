import { type DefaultJobOptions, Queue } from 'bullmq'
import { succeeds } from '../deadline.ts'
import type { Logger } from '../logger.ts'
import type { oncePerSecond } from '../once-per-second.ts'
import type { Engine } from './connection.ts'
import { type Kept, keep } from './keep.ts'
import type { QueueName } from './names.ts'

/** A BullMQ queue, and how to cut the connections that it leaves open. */
export type OpenQueue = { queue: Queue; disconnect(): void }

const DROP_MS = 1_000
/** A receiver that waited longer for its queue would keep Meta waiting. */
const PATIENCE_MS = 500

const JOB_OPTIONS: DefaultJobOptions = {
  attempts: 8,
  backoff: { type: 'exponential', delay: 100, jitter: 0.5 },
  removeOnComplete: true,
  removeOnFail: { count: 5_000 },
}

/** Opens a queue in the background and replaces it when it dies (`keep.ts`). */
export function keepQueue(
  engine: Engine,
  name: QueueName,
  log: Logger,
  warn: ReturnType<typeof oncePerSecond>,
): Kept<OpenQueue> {
  const build = (): OpenQueue => {
    const { options, disconnect } = engine.connectQueue(PATIENCE_MS)
    const queue = new Queue(name, { ...options, defaultJobOptions: JOB_OPTIONS }, engine.backend)
    queue.on('error', (err) => warn(err, `error of the queue ${name}`))
    return { queue, disconnect }
  }
  return keep<OpenQueue>(
    engine,
    {
      build,
      start: ({ queue }) => queue.waitUntilReady(),
      probe: ({ queue }) => queue.getJobCounts('active'),
      drop: (open) => closeQueue(open, DROP_MS),
    },
    log.child({ queue: name }),
  )
}

/** Closes a queue and its connections within `deadlineMs`, whatever the state of the store. Never rejects. */
export async function closeQueue({ queue, disconnect }: OpenQueue, deadlineMs: number): Promise<void> {
  await succeeds(deadlineMs, () => queue.close())
  disconnect()
}
