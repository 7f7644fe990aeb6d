import type { Queue } from 'bullmq'
import { within } from '../deadline.ts'

/** Jobs of one queue by state. `waiting` includes the jobs of a paused queue. */
export type QueueDepth = { waiting: number; active: number; delayed: number; failed: number }

const COUNT_MS = 1_000

/**
 * Counts the jobs of each queue, by the queue's name.
 * @throws DeadlineError when the store does not answer within a second, or what the store or the network says.
 */
export async function queueDepths(queues: Queue[]): Promise<Record<string, QueueDepth>> {
  const counted = queues.map(async (queue) => {
    const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed')
    const { waiting = 0, active = 0, delayed = 0, failed = 0 } = counts
    return [queue.name, { waiting, active, delayed, failed }] as const
  })
  return Object.fromEntries(await within(COUNT_MS, () => Promise.all(counted)))
}
