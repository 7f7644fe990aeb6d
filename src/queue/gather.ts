import { AsyncResource } from 'node:async_hooks'

/** One job that waits: its ids, the trace that it is a part of, and how to end it. */
type Waiting<T> = {
  ids: number[]
  trace: AsyncResource
  resolve(result: T): void
  reject(error: unknown): void
}

/**
 * Group commit for jobs that carry ids. Jobs that arrive while all `slots` are busy form the next batch, of at most `most`
 * ids; a job with more ids is a batch of its own. A single job therefore never waits, and a backlog of small jobs, as an
 * overloaded machine creates it, costs little more than a backlog of large ones. Each job ends as its batch does. A batch
 * is a part of the trace of its first job.
 */
export function createGatherer<T>(
  work: (ids: number[]) => Promise<T>,
  { slots, most }: { slots: number; most: number },
): (ids: number[]) => Promise<T> {
  let waiting: Waiting<T>[] = []
  let busy = 0

  const startNext = () => {
    if (busy === slots) return
    const batch = takeBatch()
    void batch[0]?.trace.runInAsyncScope(workOn, undefined, batch)
  }
  const workOn = async (batch: Waiting<T>[]) => {
    busy += 1
    try {
      const result = await work(batch.flatMap(({ ids }) => ids))
      for (const { resolve } of batch) resolve(result)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
    busy -= 1
    startNext()
  }
  const takeBatch = () => {
    let size = 0
    const end = waiting.findIndex(({ ids }, i) => {
      size += ids.length
      return i > 0 && size > most
    })
    const batch = end < 0 ? waiting : waiting.slice(0, end)
    waiting = waiting.slice(batch.length)
    return batch
  }
  return (ids) =>
    new Promise((resolve, reject) => {
      waiting.push({ ids, trace: new AsyncResource('gather'), resolve, reject })
      startNext()
    })
}
