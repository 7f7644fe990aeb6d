import { deleteOrgs } from '../src/bulk-runs/delete-orgs.ts'
import { releaseChatrooms } from '../src/chatrooms/release-chatrooms.ts'
import type { Db } from '../src/db/client.ts'
import { readNow } from '../src/db/read-now.ts'
import { keepPartitions } from '../src/event-feed/keep-partitions.ts'
import { recordSweep } from '../src/heartbeats/record-sweep.ts'
import { requeueStranded } from '../src/inbox/requeue-stranded.ts'
import type { Changes } from '../src/lifecycle/changes.ts'
import { deactivateInactive } from '../src/lifecycle/deactivate-inactive.ts'
import { expireOld } from '../src/lifecycle/expire-old.ts'
import { purge } from '../src/lifecycle/purge.ts'
import type { OnProgress } from '../src/lifecycle/sweep-in-batches.ts'
import type { Logger } from '../src/logger.ts'
import { keepMonths } from '../src/messages/keep-months.ts'
import { endStrandedSends } from '../src/outbound/end-stranded-sends.ts'
import { goOnWithErasures } from '../src/personal-data/work-on-erasure.ts'
import type { Engine } from '../src/queue/connection.ts'
import type { QueueName } from '../src/queue/names.ts'
import type { Producer } from '../src/queue/producer.ts'
import { createWorker, type QueueWorker } from '../src/queue/worker.ts'
import { applyRetention, type Retained } from '../src/retention/apply-retention.ts'
import { longestEventDays, readRetention } from '../src/retention/read-retention.ts'

type Parts = {
  engine: Engine
  onCanary: (queue: QueueName) => Promise<void>
  db: Db
  producer: Producer
  eventRetentionDays: number
  secretsKey: Buffer | undefined
  log: Logger
}

/** The tasks by name. Each resolves with the number of rows that it changed, by kind of change. */
type Tasks = Record<string, (report: OnProgress) => Promise<Record<string, number>>>

/**
 * Starts the worker of the queue `maintenance`. Its jobs come from the schedules; a job that an operator adds under the
 * name of a task runs that task as well.
 */
export function startMaintenance(parts: Parts): QueueWorker {
  const { engine, onCanary, db, producer, log } = parts
  const tasks: Tasks = {
    'requeue-stranded': async () => ({
      ...(await requeueStranded(db, producer.enqueueDeliveries, () => producer.waiting('deliveries'))),
      ...(await endStrandedSends(db, (send) =>
        log.warn(send, 'a message was not sent, or its outcome is unknown'),
      )),
    }),
    erase: async () => ({ erasures: await goOnWithErasures(db, parts.secretsKey) }),
    'expire-old': async (report) => total(await expireOld(db, undefined, report)),
    'deactivate-inactive': async (report) => total(await deactivateInactive(db, undefined, report)),
    'release-chatrooms': async (report) => ({ released: await releaseChatrooms(db, report) }),
    'delete-orgs': async (report) => ({ deleted: await deleteOrgs(db, report) }),
    'apply-retention': async () => countOld(await applyRetention(db, parts)),
    purge: (report) => purge(db, undefined, report),
    'keep-event-log': () => keepEventLog(db, parts.eventRetentionDays),
    'keep-ledger': async () => keepMonths(db, await readNow(db)),
  }
  return createWorker({
    engine,
    name: 'maintenance',
    onCanary,
    // One slot for each task and one for canaries, so that stranded deliveries never wait for a long sweep.
    concurrency: Object.keys(tasks).length + 1,
    log,
    process: async (job) => {
      const task = tasks[job.name]
      if (!task) throw new Error(`there is no task named ${job.name}`)
      const done = await task((rows) => job.updateProgress({ done: rows }))
      await recordSweep(db, job.name, sum(Object.values(done)))
      log.debug({ task: job.name, ...done }, 'a maintenance task finished')
    },
  })
}

/** Partitions of the event log that no org keeps are dropped. */
async function keepEventLog(db: Db, eventRetentionDays: number): Promise<Record<string, number>> {
  const days = longestEventDays(await readRetention(db, eventRetentionDays), eventRetentionDays)
  return keepPartitions(db, await readNow(db), days)
}

function countOld({ months, orgs }: Retained): Record<string, number> {
  const [messages, events] = [orgs.map((org) => org.messages), orgs.map((org) => org.events)]
  return { months: months.length, messages: sum(messages), events: sum(events) }
}

function total(changes: Changes): Record<string, number> {
  return { changed: sum([...changes.values()].flatMap((counts) => Object.values(counts))) }
}

function sum(counts: number[]): number {
  return counts.reduce((all, count) => all + count, 0)
}
