import type { Queue } from 'bullmq'
import type { Db } from '../../db/client.ts'
import { type InboxFigures, inboxFigures } from '../../inbox/figures.ts'
import { type QueueDepth, queueDepths } from '../../queue/depths.ts'
import { countHeld } from './count-held.ts'
import { listRefusedWebhooks, type RefusedWebhooks } from './refused-webhooks.ts'
import { listStoppedNumbers, type StoppedNumber } from './stopped-numbers.ts'

/** The current figures of the installation. `depths` is undefined while the queues do not answer. */
export type Figures = InboxFigures & {
  /** Messages that wait for a chatroom; the count stops at 10,000. */
  held: number
  depths: Record<string, QueueDepth> | undefined
  stopped: StoppedNumber[]
  refusals: RefusedWebhooks[]
}

/** Reads the figures from PostgreSQL and the queues, so that every process returns the same ones. */
export async function readFigures(db: Db, queues: Queue[]): Promise<Figures> {
  const [inbox, held, stopped, refusals, depths] = await Promise.all([
    inboxFigures(db),
    countHeld(db),
    listStoppedNumbers(db),
    listRefusedWebhooks(db),
    queueDepths(queues).catch(() => undefined),
  ])
  return { ...inbox, held, stopped, refusals, depths }
}
