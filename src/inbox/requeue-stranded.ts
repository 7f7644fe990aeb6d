import type { Db } from '../db/client.ts'
import { takeStranded } from './stranded.ts'
import { unparkDeliveries } from './unpark.ts'

const PAGE = 1_000
const JOB_SIZE = 100
/**
 * With more waiting jobs than this, a delivery is still in the inbox because its job waits, not because its job was
 * lost or because it is poison. One page a run is enough then, or each run would enqueue the whole backlog again.
 */
const LONG_QUEUE = 20

/**
 * Enqueues every delivery whose job was lost (with a long queue, the 1,000 that have been due longest), and the parked
 * deliveries whose number was provisioned since: losing the whole queue therefore loses no message. A delivery that
 * keeps coming back becomes a suspect and gets a job of its own. After a failed enqueue, the next run finds the rows.
 * @param waiting the number of jobs that wait in the queue; undefined when the queue does not answer
 */
export async function requeueStranded(
  db: Db,
  enqueue: (ids: number[], options?: { suspect: true }) => Promise<boolean>,
  waiting: () => Promise<number | undefined>,
): Promise<{ unparked: number; requeued: number }> {
  const unparked = await unparkDeliveries(db)
  const queueIsLong = ((await waiting()) ?? Number.POSITIVE_INFINITY) > LONG_QUEUE
  let requeued = 0
  for (let full = true; full; ) {
    const { ids, suspects } = await takeStranded(db, PAGE, queueIsLong)
    for (let i = 0; i < ids.length; i += JOB_SIZE) await enqueue(ids.slice(i, i + JOB_SIZE))
    for (const id of suspects) await enqueue([id], { suspect: true })
    requeued += ids.length + suspects.length
    full = ids.length + suspects.length === PAGE && !queueIsLong
  }
  return { unparked, requeued }
}
