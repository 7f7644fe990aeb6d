import type { Queue } from 'bullmq'
import { within } from '../deadline.ts'
import type { Logger } from '../logger.ts'
import { oncePerSecond } from '../once-per-second.ts'
import { coalesce } from './coalesce.ts'
import type { Engine } from './connection.ts'
import type { Kept } from './keep.ts'
import { CANARY, type Jobs, QUEUE_NAMES, type QueueName } from './names.ts'
import { closeQueue, keepQueue, type OpenQueue } from './open-queue.ts'

/**
 * Adds jobs to the queues. A job only says that a row is due, and the row is found without it as well: a job that is lost
 * makes its row late, nothing else.
 */
export type Producer = {
  /**
   * Adds one job for a batch of inbox rows. Never rejects; resolves within 300 ms, with false when the job may not have
   * been added. After a time-out it may have been added all the same.
   */
  enqueueDeliveries(ids: number[], options?: { suspect: true }): Promise<boolean>
  /**
   * Wakes the senders with one job, or with one for all calls of 20 ms. Never throws. When the job is lost, the senders
   * look for themselves within a second.
   */
  wakeSenders(): void
  /**
   * Has events of these orgs posted, with one job for all calls of 50 ms, or of 250 ms if they may wait. Never throws. When the
   * job is lost, the workers look for themselves within seconds.
   */
  announceEvents(orgIds: string[], mayWait?: boolean): void
  /** Adds a canary at the head of a queue, unless one of the same turn waits there. Resolves like `enqueueDeliveries`. */
  enqueueCanary(queue: QueueName, turn: number): Promise<boolean>
  /** Number of jobs that wait in a queue; undefined, within 300 ms, when the queue does not answer. Never rejects. */
  waiting(name: QueueName): Promise<number | undefined>
  /** The BullMQ queue: undefined until its store has answered, and another object after it was replaced. */
  queue(name: QueueName): Queue | undefined
  /** The queues that are open at the moment. */
  queues(): Queue[]
  /** Closes the queues within `deadlineMs`, whatever the state of the store. Never rejects. */
  close(deadlineMs: number): Promise<void>
}

const ENQUEUE_MS = 300
const WAKE_MS = 20
/** Events of several orgs that are announced together are taken together, and a take costs more than what it reads. */
const ANNOUNCE_MS = 50
const PATIENT_ANNOUNCE_MS = 250
/** A job that wakes the senders is not worth a second try. */
const WAKE = { attempts: 1, removeOnFail: true }

/**
 * Opens the queues in the background. While a queue's store is away, enqueueing is refused: at once when that is known,
 * else after 300 ms.
 */
export function createProducer({ engine, log }: { engine: Engine; log: Logger }): Producer {
  const warn = oncePerSecond(log)
  const kept = Object.fromEntries(
    QUEUE_NAMES.map((name) => [name, keepQueue(engine, name, log, warn)]),
  ) as Record<QueueName, Kept<OpenQueue>>
  const queueOf = (name: QueueName) => kept[name].current()?.queue
  const listOpen = () => QUEUE_NAMES.flatMap((name) => kept[name].current() ?? [])
  return {
    ...createEnqueue(queueOf, warn),
    async waiting(name) {
      const queue = queueOf(name)
      return queue && within(ENQUEUE_MS, () => queue.getWaitingCount()).catch(() => undefined)
    },
    queue: queueOf,
    queues: () => listOpen().map(({ queue }) => queue),
    async close(deadlineMs) {
      for (const name of QUEUE_NAMES) kept[name].stop()
      await Promise.all(listOpen().map((open) => closeQueue(open, deadlineMs)))
    },
  }
}

type Enqueue = Pick<Producer, 'enqueueDeliveries' | 'wakeSenders' | 'announceEvents' | 'enqueueCanary'>

function createEnqueue(queueOf: Producer['queue'], warn: (err: unknown, message: string) => void): Enqueue {
  const enqueue = async (name: QueueName, add: (queue: Queue) => Promise<unknown>) => {
    const queue = queueOf(name)
    if (queue === undefined) return false
    try {
      await within(ENQUEUE_MS, () => add(queue))
      return true
    } catch (err) {
      warn(err, `queue ${name}: jobs were not queued, requeue-stranded will find their rows`)
      return false
    }
  }
  const orgs = new Set<string>()
  const announceOrgs = () => {
    const data: Jobs['webhooks'] = { orgs: [...orgs] }
    orgs.clear()
    if (data.orgs.length > 0) void enqueue('webhooks', (queue) => queue.add('wake', data, WAKE))
  }
  const announceSoon = coalesce(announceOrgs, ANNOUNCE_MS)
  const announceLater = coalesce(announceOrgs, PATIENT_ANNOUNCE_MS)
  return {
    announceEvents(orgIds, mayWait = false) {
      for (const id of orgIds) orgs.add(id)
      if (orgIds.length > 0) (mayWait ? announceLater : announceSoon)()
    },
    // On PostgreSQL, `add` takes 1.5 ms and `addBulk` 7 ms, for one job as for twenty.
    enqueueDeliveries: (ids, options) =>
      enqueue('deliveries', (queue) => queue.add('route', { ids, ...options } satisfies Jobs['deliveries'])),
    wakeSenders: coalesce(() => enqueue('outbound', (queue) => queue.add('wake', {}, WAKE)), WAKE_MS),
    // At the head: a canary shows that workers take jobs, and the age of the backlog has a metric of its own.
    enqueueCanary: (name, turn) =>
      enqueue(name, (queue) =>
        queue.add(CANARY, {}, { jobId: `canary-${turn}`, lifo: true, attempts: 1, removeOnFail: true }),
      ),
  }
}
