import type { Db } from '../db/client.ts'
import { takeStranded } from './stranded.ts'
import { unparkDeliveries } from './unpark.ts'

const PAGE = 1_000
const JOB_SIZE = 100
/**
 * More waiting jobs than this, and a delivery is still here because its job waits, not because of what it holds or
 * because its job was lost: then one page a run is enough, or the queue grows by all that waits in it, every minute.
 */
const LONG_QUEUE = 20

/**
 * Enqueues every delivery whose job was lost (with a long queue, the 1,000 longest due), and those whose number was
 * provisioned since: with this, losing the whole queue loses no message. A delivery that keeps coming back goes alone, as
 * a suspect. An enqueue that fails leaves the rows for the next run.
 * @param waiting jobs that wait in the queue; undefined when it cannot say
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
