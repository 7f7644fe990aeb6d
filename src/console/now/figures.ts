import type { Queue } from 'bullmq'
import type { Db } from '../../db/client.ts'
import { type InboxFigures, inboxFigures } from '../../inbox/figures.ts'
import { type QueueDepth, queueDepths } from '../../queue/health.ts'
import { listStoppedNumbers, type StoppedNumber } from './stopped-numbers.ts'

/** The installation at a glance; `depths` is undefined while the queue does not answer. */
export type Figures = InboxFigures & {
  depths: Record<string, QueueDepth> | undefined
  stopped: StoppedNumber[]
}

/** What PostgreSQL and the queue say now, the same in whichever process is asked. */
export async function readFigures(db: Db, queues: Queue[]): Promise<Figures> {
  const [inbox, stopped, depths] = await Promise.all([
    inboxFigures(db),
    listStoppedNumbers(db),
    queueDepths(queues).catch(() => undefined),
  ])
  return { ...inbox, stopped, depths }
}
