import type { Db } from '../src/db/client.ts'
import { requeueStranded } from '../src/inbox/requeue-stranded.ts'
import type { Logger } from '../src/logger.ts'
import { requeueStrandedSends } from '../src/outbound/requeue-sends.ts'
import type { Engine } from '../src/queue/connection.ts'
import type { Producer } from '../src/queue/producer.ts'
import { createWorker, type QueueWorker } from '../src/queue/worker.ts'

type Parts = { engine: Engine; db: Db; producer: Producer; log: Logger }

/** Works on the queue `maintenance`: what the schedules start, one at a time in each process. */
export function startMaintenance({ engine, db, producer, log }: Parts): QueueWorker {
  const tasks: Record<string, () => Promise<object>> = {
    'requeue-stranded': async () => ({
      ...(await requeueStranded(db, producer.enqueueDeliveries)),
      ...(await requeueStrandedSends(db, producer.enqueueOutbound)),
    }),
  }
  return createWorker({
    engine,
    name: 'maintenance',
    concurrency: 1,
    log,
    process: async (job) => {
      const task = tasks[job.name]
      if (!task) throw new Error(`no task is called ${job.name}`)
      log.debug({ task: job.name, ...(await task()) }, 'maintenance')
    },
  })
}
