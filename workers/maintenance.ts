import type { Db } from '../src/db/client.ts'
import { recordSweep } from '../src/heartbeats/record-sweep.ts'
import { requeueStranded } from '../src/inbox/requeue-stranded.ts'
import type { Changes } from '../src/lifecycle/changes.ts'
import { deactivateInactive } from '../src/lifecycle/deactivate-inactive.ts'
import { expireOld } from '../src/lifecycle/expire-old.ts'
import { purge } from '../src/lifecycle/purge.ts'
import type { OnProgress } from '../src/lifecycle/sweep-in-batches.ts'
import type { Logger } from '../src/logger.ts'
import { requeueStrandedSends } from '../src/outbound/requeue-sends.ts'
import type { Engine } from '../src/queue/connection.ts'
import type { QueueName } from '../src/queue/names.ts'
import type { Producer } from '../src/queue/producer.ts'
import { createWorker, type QueueWorker } from '../src/queue/worker.ts'

type Parts = {
  engine: Engine
  onCanary: (queue: QueueName) => Promise<void>
  db: Db
  producer: Producer
  log: Logger
}

/** Each gives how many rows it changed, of whatever kinds. */
type Tasks = Record<string, (report: OnProgress) => Promise<Record<string, number>>>

/** Works on the queue `maintenance`: what the schedules start, or anybody by adding a job of that name. */
export function startMaintenance({ engine, onCanary, db, producer, log }: Parts): QueueWorker {
  const tasks: Tasks = {
    'requeue-stranded': async () => ({
      ...(await requeueStranded(db, producer.enqueueDeliveries, () => producer.waiting('deliveries'))),
      ...(await requeueStrandedSends(db, producer.enqueueOutbound)),
    }),
    'expire-old': async (report) => total(await expireOld(db, undefined, report)),
    'deactivate-inactive': async (report) => total(await deactivateInactive(db, undefined, report)),
    purge: (report) => purge(db, undefined, report),
  }
  return createWorker({
    engine,
    name: 'maintenance',
    onCanary,
    // A slot for each task, and one for canaries: what is stranded must not wait for a long sweep.
    concurrency: Object.keys(tasks).length + 1,
    log,
    process: async (job) => {
      const task = tasks[job.name]
      if (!task) throw new Error(`no task is called ${job.name}`)
      const done = await task((rows) => job.updateProgress({ done: rows }))
      await recordSweep(db, job.name, sum(Object.values(done)))
      log.debug({ task: job.name, ...done }, 'maintenance')
    },
  })
}

function total(changes: Changes): Record<string, number> {
  return { changed: sum([...changes.values()].flatMap((counts) => Object.values(counts))) }
}

function sum(counts: number[]): number {
  return counts.reduce((all, count) => all + count, 0)
}
