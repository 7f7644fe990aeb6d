import type { Db } from '../db/client.ts'
import type { Logger } from '../logger.ts'
import { oncePerSecond } from '../once-per-second.ts'
import type { QueueName } from '../queue/names.ts'
import type { Producer } from '../queue/producer.ts'
import { askCanaries } from './ask-canaries.ts'

const CHECK_MS = 5_000
const RETRY_MS = 1_000

type Parts = { db: Db; producer: Pick<Producer, 'enqueueCanary'>; log: Logger }

/**
 * Enqueues a canary in each queue every 30 s, once for all processes together. A BullMQ schedule cannot do this, because
 * it would itself depend on the queue that it watches. A canary that a queue refused is tried again a second later.
 */
export function keepCanaries({ db, producer, log }: Parts): { stop(): void } {
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  const warn = oncePerSecond(log)
  const owed = new Map<QueueName, number>()
  const check = async () => {
    try {
      for (const { queue, turn } of await askCanaries(db)) owed.set(queue, turn)
      for (const [queue, turn] of owed) {
        if (await producer.enqueueCanary(queue, turn)) owed.delete(queue)
      }
    } catch (err) {
      warn(err, 'the canaries that are due could not be read')
    }
    if (!stopped) timer = setTimeout(check, owed.size > 0 ? RETRY_MS : CHECK_MS)
  }
  void check()
  return {
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
