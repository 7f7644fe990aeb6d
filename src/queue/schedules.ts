import type { Queue } from 'bullmq'
import { within } from '../deadline.ts'
import type { Logger } from '../logger.ts'

/** A job that is made again every so many milliseconds, once for all processes together. */
export type Schedule = { name: string; every: number }

/** What runs by itself, in the queue `maintenance`. */
export const SCHEDULES: readonly Schedule[] = [
  { name: 'requeue-stranded', every: 10_000 },
  { name: 'expire-old', every: 60_000 },
  { name: 'deactivate-inactive', every: 60_000 },
  { name: 'purge', every: 3_600_000 },
]

const RENEW_MS = 60_000
const RETRY_MS = 1_000
const UPSERT_MS = 5_000

/**
 * Writes the schedules into the queue, as soon as there is one and again every minute: a Redis that lost its data
 * lost them too. Any number of processes may do so. A failure is logged and tried again a second later.
 */
export function keepSchedules(
  queue: () => Queue | undefined,
  schedules: readonly Schedule[],
  log: Logger,
): { stop(): void } {
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  const renew = async () => {
    const written = await upsert(queue(), schedules).catch((err) => {
      log.warn({ err }, 'the schedules could not be written, trying again')
    })
    if (!stopped) timer = setTimeout(renew, written ? RENEW_MS : RETRY_MS)
  }
  void renew()
  return {
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

/** False when there is no queue yet. */
async function upsert(queue: Queue | undefined, schedules: readonly Schedule[]): Promise<boolean> {
  if (queue === undefined) return false
  const opts = { removeOnComplete: { count: 100 }, removeOnFail: { count: 500 } }
  const all = () =>
    Promise.all(
      schedules.map(({ name, every }) => queue.upsertJobScheduler(name, { every }, { name, data: {}, opts })),
    )
  await within(UPSERT_MS, all)
  return true
}
