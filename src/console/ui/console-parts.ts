import type { Queue } from 'bullmq'
import type { Db } from '../../db/client.ts'
import type { Logger } from '../../logger.ts'

export type ConsoleParts = {
  db: Db
  /** The queues that exist at the moment. */
  queues: () => Queue[]
  /** Tells the queue of deliveries to route; false when it may not know. Has a deadline and never rejects. */
  enqueue: (ids: number[]) => Promise<boolean>
  /** Pages show no button that changes anything; the login refuses it too. */
  readOnly: boolean
  log: Logger
  now: () => Date
}
