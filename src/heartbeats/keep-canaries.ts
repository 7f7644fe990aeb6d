import type { Db } from '../db/client.ts'
import type { Logger } from '../logger.ts'
import { oncePerSecond } from '../once-per-second.ts'
import type { QueueName } from '../queue/names.ts'
import type { Producer } from '../queue/producer.ts'
import { askCanaries } from './ask-canaries.ts'

const LOOK_MS = 5_000
const RETRY_MS = 1_000

type Parts = { db: Db; producer: Pick<Producer, 'enqueueCanary'>; log: Logger }

/**
 * Puts a canary into each queue every 30 s, once for all processes together: from outside, since a schedule would
 * have to wait in the queue it watches. One that a queue did not take is tried again a second later.
 */
export function keepCanaries({ db, producer, log }: Parts): { stop(): void } {
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  const warn = oncePerSecond(log)
  const owed = new Map<QueueName, number>()
  const look = async () => {
    try {
      for (const { queue, turn } of await askCanaries(db)) owed.set(queue, turn)
      for (const [queue, turn] of owed) {
        if (await producer.enqueueCanary(queue, turn)) owed.delete(queue)
      }
    } catch (err) {
      warn(err, 'the canaries cannot be asked for')
    }
    if (!stopped) timer = setTimeout(look, owed.size > 0 ? RETRY_MS : LOOK_MS)
  }
  void look()
  return {
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
