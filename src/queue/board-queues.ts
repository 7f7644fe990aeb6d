import { Queue } from 'bullmq'
import { succeeds } from '../deadline.ts'
import type { Logger } from '../logger.ts'
import { oncePerSecond } from '../once-per-second.ts'
import type { Engine } from './connection.ts'
import { type Kept, keep } from './keep.ts'
import { QUEUE_NAMES } from './names.ts'

/** The queues as Bull Board shows them. */
export type BoardQueues = {
  /** The queues; none when their store does not answer within three seconds. Never rejects. */
  open(): Promise<Queue[]>
  /** Closes the queues within `deadlineMs`, whatever the state of the store. Never rejects. */
  close(deadlineMs: number): Promise<void>
}

type Opened = { queues: Queue[]; disconnect(): void }

const OPEN_MS = 3_000
const DROP_MS = 1_000
/** A page may be slow: the producer's half second would make Bull Board show errors whenever a machine is busy. */
const PATIENCE_MS = 10_000

/**
 * Opens the queues when they are asked for first, over connections of their own, which all of them share: a page that
 * reads thousands of jobs must not delay the receiver's jobs.
 */
export function createBoardQueues(engine: Engine, log: Logger): BoardQueues {
  let kept: Kept<Opened> | undefined
  return {
    async open() {
      kept ??= keepQueues(engine, log)
      const { ready, current } = kept
      await succeeds(OPEN_MS, () => ready)
      return current()?.queues ?? []
    },
    async close(deadlineMs) {
      kept?.stop()
      const opened = kept?.current()
      if (opened) await closeQueues(opened, deadlineMs)
    },
  }
}

function keepQueues(engine: Engine, log: Logger): Kept<Opened> {
  const warn = oncePerSecond(log)
  const build = (): Opened => {
    const { options, disconnect } = engine.connectQueue(PATIENCE_MS)
    const queues = QUEUE_NAMES.map((name) => {
      const queue = new Queue(name, options, engine.backend)
      queue.on('error', (err) => warn(err, `error of the queue ${name} of Bull Board`))
      return queue
    })
    return { queues, disconnect }
  }
  return keep<Opened>(
    engine,
    {
      build,
      start: async ({ queues }) => void (await Promise.all(queues.map((queue) => queue.waitUntilReady()))),
      probe: ({ queues }) => Promise.all(queues.map((queue) => queue.getJobCounts('active'))),
      drop: (opened) => closeQueues(opened, DROP_MS),
    },
    log.child({ queue: 'Bull Board' }),
  )
}

async function closeQueues({ queues, disconnect }: Opened, deadlineMs: number): Promise<void> {
  await succeeds(deadlineMs, () => Promise.all(queues.map((queue) => queue.close())))
  disconnect()
}
