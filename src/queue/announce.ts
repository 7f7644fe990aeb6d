/** Most ids remembered while the queue is away; what is beyond is found by requeue-stranded, half a minute late. */
const MAX_MISSED = 100_000
const RETRY_MS = 500
const JOB_SIZE = 500

export type Announcer = {
  /** Tells the queue of stored deliveries; returns at once and never throws. */
  announce(ids: number[]): void
  /** Forgets what is still missed: requeue-stranded finds it. */
  close(): void
}

/** Announces deliveries, and those that the queue would not take again twice a second, until it does. */
export function createAnnouncer(enqueue: (ids: number[]) => Promise<boolean>): Announcer {
  let missed: number[] = []
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const remember = (ids: number[]) => {
    if (closed || missed.length + ids.length > MAX_MISSED) return
    missed = missed.concat(ids)
    timer ??= setTimeout(retry, RETRY_MS)
  }
  const retry = async () => {
    const ids = missed
    missed = []
    timer = undefined
    for (let i = 0; i < ids.length; i += JOB_SIZE) {
      if (!(await enqueue(ids.slice(i, i + JOB_SIZE)))) return remember(ids.slice(i))
    }
  }
  return {
    announce(ids) {
      void enqueue(ids).then((taken) => taken || remember(ids))
    },
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}
