import type { Queue } from 'bullmq'
import type { Db } from '../../db/client.ts'
import { type InboxFigures, inboxFigures } from '../../inbox/figures.ts'
import { type QueueDepth, queueDepths } from '../../queue/depths.ts'
import { countHeld } from './count-held.ts'
import { listRefusedWebhooks, type RefusedWebhooks } from './refused-webhooks.ts'
import { listStoppedNumbers, type StoppedNumber } from './stopped-numbers.ts'

/** The current figures. `installation` is undefined for people who may see some orgs only. */
export type Figures = {
  /** Messages that wait for a chatroom; the count stops at 10,000. */
  held: number
  stopped: StoppedNumber[]
  installation: InstallationFigures | undefined
}

/** What belongs to no org. `depths` is undefined while the queues do not answer. */
export type InstallationFigures = InboxFigures & {
  depths: Record<string, QueueDepth> | undefined
  refusals: RefusedWebhooks[]
}

/**
 * Reads the figures of these orgs, or of the whole installation, from PostgreSQL and the queues, so that every process
 * returns the same ones.
 */
export async function readFigures(
  db: Db,
  queues: Queue[],
  orgIds: readonly string[] | undefined,
): Promise<Figures> {
  const [held, stopped, installation] = await Promise.all([
    countHeld(db, orgIds),
    listStoppedNumbers(db, orgIds),
    orgIds === undefined ? readInstallation(db, queues) : undefined,
  ])
  return { held, stopped, installation }
}

async function readInstallation(db: Db, queues: Queue[]): Promise<InstallationFigures> {
  const [inbox, refusals, depths] = await Promise.all([
    inboxFigures(db),
    listRefusedWebhooks(db),
    queueDepths(queues).catch(() => undefined),
  ])
  return { ...inbox, refusals, depths }
}
