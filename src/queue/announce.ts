import { AsyncResource } from 'node:async_hooks'

/** Most ids remembered while the queue is away; what is beyond is found by requeue-stranded, 10 s late. */
const MAX_MISSED = 100_000
const RETRY_MS = 500
const JOB_SIZE = 500
/**
 * What is stored within 10 ms shares a job; after a crowd, within 25 ms. At 2,000 deliveries a second an insert brings five,
 * and a message in a job of five costs routing twice what it costs in a job of twenty; on PostgreSQL, each job costs 3 ms of
 * CPU besides. A lone delivery need not wait for its job: workers hear of it (`inbox/insert.ts`).
 */
const GATHER_MS = 10
const GATHER_CROWD_MS = 25
const CROWD = 10

export type Announcer = {
  /** Tells the queue of stored deliveries, at most 25 ms later; returns at once and never throws. */
  announce(ids: number[]): void
  /** Tells what is gathered, and forgets what the queue would not take: requeue-stranded finds it. Never rejects. */
  close(): Promise<void>
}

/** Announces deliveries, and those that the queue would not take again twice a second, until it does. */
export function createAnnouncer(enqueue: (ids: number[]) => Promise<boolean>): Announcer {
  let gathered: number[] = []
  /** The trace of the first delivery gathered: its job is a part of that one. */
  let scope: AsyncResource | undefined
  let window: NodeJS.Timeout | undefined
  let wait = GATHER_MS
  let missed: number[] = []
  let retrying: NodeJS.Timeout | undefined
  let closed = false

  const tell = async (ids: number[]) => {
    for (let i = 0; i < ids.length; i += JOB_SIZE) {
      if (!(await enqueue(ids.slice(i, i + JOB_SIZE)))) return remember(ids.slice(i))
    }
  }
  const tellGathered = () => {
    const [ids, within] = [gathered, scope]
    gathered = []
    scope = undefined
    window = undefined
    wait = ids.length < CROWD ? GATHER_MS : GATHER_CROWD_MS
    return within?.runInAsyncScope(tell, undefined, ids)
  }
  const remember = (ids: number[]) => {
    if (closed || missed.length + ids.length > MAX_MISSED) return
    missed = missed.concat(ids)
    retrying ??= setTimeout(retry, RETRY_MS)
  }
  const retry = () => {
    const ids = missed
    missed = []
    retrying = undefined
    return tell(ids)
  }
  return {
    announce(ids) {
      scope ??= new AsyncResource('announce')
      gathered = gathered.concat(ids)
      window ??= setTimeout(tellGathered, wait)
    },
    async close() {
      closed = true
      clearTimeout(window)
      clearTimeout(retrying)
      await tellGathered()
    },
  }
}
