import type { Queue } from 'bullmq'
import { within } from '../deadline.ts'
import type { Logger } from '../logger.ts'

/** A job that is made again every so many milliseconds, once for all processes together. */
export type Schedule = { name: string; every: number }

/** What runs by itself, in the queue `maintenance`. */
export const SCHEDULES: readonly Schedule[] = [
  { name: 'requeue-stranded', every: 5_000 },
  { name: 'expire-old', every: 60_000 },
  { name: 'deactivate-inactive', every: 60_000 },
  { name: 'purge', every: 3_600_000 },
]

const LOOK_MS = 5_000
const RETRY_MS = 1_000
const WRITE_MS = 5_000
/** So much earlier or later than it should be, a next run is wrong. */
const ODD_MS = 30_000

/**
 * Looks every 5 s, at no fixed moment, whether the queue has the schedules, and writes what is missing,
 * changed, overdue or too far ahead: a Redis that lost its data lost them too, on PostgreSQL a schedule that three
 * processes wrote at the same moment stopped in 11 of 80 cases, and a process whose clock is fast writes one that runs
 * hours from now. A failure is logged and tried again a second later.
 */
export function keepSchedules(
  queue: () => Queue | undefined,
  schedules: readonly Schedule[],
  log: Logger,
): { stop(): void } {
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  const look = async () => {
    const current = queue()
    const kept = current && (await keepAll(current, schedules, log))
    if (!stopped) timer = setTimeout(look, kept ? LOOK_MS * (0.5 + Math.random()) : RETRY_MS)
  }
  void look()
  return {
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

/** Whether it worked. */
async function keepAll(queue: Queue, schedules: readonly Schedule[], log: Logger): Promise<boolean> {
  try {
    await within(WRITE_MS, () => Promise.all(schedules.map((schedule) => keepOne(queue, schedule))))
    return true
  } catch (err) {
    log.warn({ err }, 'the schedules could not be written, trying again')
    return false
  }
}

async function keepOne(queue: Queue, { name, every }: Schedule): Promise<void> {
  const found = await queue.getJobScheduler(name)
  const inMs = (found?.next ?? 0) - Date.now()
  if (found?.every === every && inMs > -ODD_MS && inMs < every + ODD_MS) return
  // Written again, a schedule keeps its next run.
  if (inMs > 0) await queue.removeJobScheduler(name)
  const opts = { removeOnComplete: { count: 100 }, removeOnFail: { count: 500 } }
  await queue.upsertJobScheduler(name, { every }, { name, data: {}, opts })
}
