import type { Queue } from 'bullmq'
import { within } from '../deadline.ts'
import type { Logger } from '../logger.ts'

/** A job that is created every `every` milliseconds, once for all processes together. */
export type Schedule = { name: string; every: number }

/** The tasks that run periodically, in the queue `maintenance`. */
export const SCHEDULES: readonly Schedule[] = [
  { name: 'requeue-stranded', every: 5_000 },
  { name: 'erase', every: 5_000 },
  { name: 'expire-old', every: 60_000 },
  { name: 'deactivate-inactive', every: 60_000 },
  { name: 'release-chatrooms', every: 60_000 },
  { name: 'delete-orgs', every: 5_000 },
  { name: 'purge', every: 3_600_000 },
  { name: 'apply-retention', every: 21_600_000 },
  { name: 'keep-event-log', every: 3_600_000 },
  { name: 'keep-ledger', every: 3_600_000 },
]

const CHECK_MS = 5_000
const RETRY_MS = 1_000
const WRITE_MS = 5_000
/** A next run that is further than this from its proper time is wrong. */
const TOLERANCE_MS = 30_000

/**
 * Checks about every 5 s whether the queue has the schedules, and writes those that are missing, changed, overdue or too
 * far in the future. A Redis that lost its data has lost its schedules; a process whose clock is fast writes schedules
 * that run hours too late; and on PostgreSQL, a schedule that three processes wrote at the same moment stopped in 11 of
 * 80 cases. The interval is random, so that processes do not write at the same moment again and again. A failure is
 * logged, and retried after a second.
 */
export function keepSchedules(
  queue: () => Queue | undefined,
  schedules: readonly Schedule[],
  log: Logger,
): { stop(): void } {
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  const check = async () => {
    const current = queue()
    const kept = current && (await keepAll(current, schedules, log))
    if (!stopped) timer = setTimeout(check, kept ? CHECK_MS * (0.5 + Math.random()) : RETRY_MS)
  }
  void check()
  return {
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

/** Whether all schedules could be checked and written. */
async function keepAll(queue: Queue, schedules: readonly Schedule[], log: Logger): Promise<boolean> {
  try {
    await within(WRITE_MS, () => Promise.all(schedules.map((schedule) => keepOne(queue, schedule))))
    return true
  } catch (err) {
    log.warn({ err }, 'the schedules could not be written: trying again')
    return false
  }
}

async function keepOne(queue: Queue, { name, every }: Schedule): Promise<void> {
  const found = await queue.getJobScheduler(name)
  const inMs = (found?.next ?? 0) - Date.now()
  if (found?.every === every && inMs > -TOLERANCE_MS && inMs < every + TOLERANCE_MS) return
  // A schedule that is overwritten keeps its next run, unless it is removed first.
  if (inMs > 0) await queue.removeJobScheduler(name)
  const opts = { removeOnComplete: { count: 100 }, removeOnFail: { count: 500 } }
  await queue.upsertJobScheduler(name, { every }, { name, data: {}, opts })
}
