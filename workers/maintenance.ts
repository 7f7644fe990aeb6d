import type { Db } from '../src/db/client.ts'
import { requeueStranded } from '../src/inbox/requeue-stranded.ts'
import { deactivateInactive } from '../src/lifecycle/deactivate-inactive.ts'
import { expireOld } from '../src/lifecycle/expire-old.ts'
import { purge } from '../src/lifecycle/purge.ts'
import type { OnProgress } from '../src/lifecycle/sweep-in-batches.ts'
import type { Logger } from '../src/logger.ts'
import { requeueStrandedSends } from '../src/outbound/requeue-sends.ts'
import type { Engine } from '../src/queue/connection.ts'
import type { Producer } from '../src/queue/producer.ts'
import { createWorker, type QueueWorker } from '../src/queue/worker.ts'

type Parts = { engine: Engine; db: Db; producer: Producer; log: Logger }

/** Works on the queue `maintenance`: what the schedules start, or anybody by adding a job of that name. */
export function startMaintenance({ engine, db, producer, log }: Parts): QueueWorker {
  const tasks: Record<string, (report: OnProgress) => Promise<object>> = {
    'requeue-stranded': async () => ({
      ...(await requeueStranded(db, producer.enqueueDeliveries)),
      ...(await requeueStrandedSends(db, producer.enqueueOutbound)),
    }),
    'expire-old': async (report) => ({ orgs: (await expireOld(db, undefined, report)).size }),
    'deactivate-inactive': async (report) => ({
      orgs: (await deactivateInactive(db, undefined, report)).size,
    }),
    purge: (report) => purge(db, undefined, report),
  }
  return createWorker({
    engine,
    name: 'maintenance',
    // A slot for each task: what is stranded must not wait for a long sweep.
    concurrency: Object.keys(tasks).length,
    log,
    process: async (job) => {
      const task = tasks[job.name]
      if (!task) throw new Error(`no task is called ${job.name}`)
      const done = await task((rows) => job.updateProgress({ done: rows }))
      log.debug({ task: job.name, ...done }, 'maintenance')
    },
  })
}
