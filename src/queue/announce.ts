import { AsyncResource } from 'node:async_hooks'
import { createRetries } from './retries.ts'

const JOB_SIZE = 500
/**
 * Deliveries stored within 10 ms share a job; after the job of a batch, those stored within 25 ms. At 2,000 deliveries
 * a second, one insert stores five, and a message in a job of five costs routing twice what it costs in a job
 * of twenty; on PostgreSQL each job also costs 3 ms of CPU. A single delivery does not wait for its job: a NOTIFY tells
 * the workers about it (`inbox/insert.ts`).
 */
const WINDOW_MS = 10
const BATCH_WINDOW_MS = 25
/** A job of at least so many deliveries counts as a batch. */
const BATCH = 10

export type Announcer = {
  /** Enqueues the ids of stored deliveries, at most 25 ms later. Returns at once and never throws. */
  announce(ids: number[]): void
  /**
   * Enqueues the ids that still wait for their window to end, and drops the ids that the queue refused before:
   * `requeue-stranded` finds those rows. Never rejects.
   */
  close(): Promise<void>
}

/**
 * Creates the announcer of stored deliveries, which enqueues them in few jobs. Ids that the queue refuses are offered
 * again twice a second until it accepts them.
 * @param enqueue resolves with false when the job may not have been queued; must not reject
 */
export function createAnnouncer(enqueue: (ids: number[]) => Promise<boolean>): Announcer {
  const retries = createRetries((ids) => enqueueAll(ids))

  async function enqueueAll(ids: number[]): Promise<void> {
    for (let i = 0; i < ids.length; i += JOB_SIZE) {
      if (!(await enqueue(ids.slice(i, i + JOB_SIZE)))) return retries.add(ids.slice(i))
    }
  }

  const window = createWindow(enqueueAll)
  return {
    announce: window.add,
    async close() {
      retries.stop()
      await window.end()
    },
  }
}

/** The first id opens a window; the ids collected until its end are passed on together. */
function createWindow(pass: (ids: number[]) => Promise<void>) {
  let collected: number[] = []
  /** The trace of the first delivery in the window: the job becomes a part of it. */
  let trace: AsyncResource | undefined
  let timer: NodeJS.Timeout | undefined
  let windowMs = WINDOW_MS

  async function end(): Promise<void> {
    clearTimeout(timer)
    const [ids, within] = [collected, trace]
    collected = []
    trace = undefined
    timer = undefined
    windowMs = ids.length < BATCH ? WINDOW_MS : BATCH_WINDOW_MS
    await within?.runInAsyncScope(pass, undefined, ids)
  }

  return {
    add(ids: number[]) {
      trace ??= new AsyncResource('announce')
      collected = collected.concat(ids)
      timer ??= setTimeout(end, windowMs)
    },
    end,
  }
}
