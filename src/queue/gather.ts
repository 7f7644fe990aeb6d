import { AsyncResource } from 'node:async_hooks'

/** One job that waits: its ids, the trace that it is a part of, and how to end it. */
type Waiting<T> = {
  ids: number[]
  /** When it came, by `performance.now()`. */
  since: number
  trace: AsyncResource
  resolve(result: T): void
  reject(error: unknown): void
}

/**
 * Group commit for jobs that carry ids. Jobs that arrive while all `slots` are busy form the next batch, of at most `most`
 * ids; a job with more ids is a batch of its own. A single job therefore never waits, and a backlog of small jobs, as an
 * overloaded machine creates it, costs little more than a backlog of large ones. Each job ends as its batch does. A batch
 * is a part of the trace of its first job.
 *
 * `together`: beside a batch under way, another one starts when it has so many ids, or when its first job has waited for
 * `waitMs`. At a moderate rate most batches would have one id otherwise, and one batch of five ids costs less than two of one.
 */
export function createGatherer<T>(
  work: (ids: number[]) => Promise<T>,
  { slots, most, together }: { slots: number; most: number; together?: { ids: number; waitMs: number } },
): (ids: number[]) => Promise<T> {
  let waiting: Waiting<T>[] = []
  let busy = 0

  const isToWait = () => {
    if (busy === 0 || !together) return false
    const ids = waiting.reduce((sum, one) => sum + one.ids.length, 0)
    return ids < together.ids && performance.now() - (waiting[0]?.since ?? 0) < together.waitMs
  }
  const startNext = () => {
    if (busy === slots || waiting.length === 0 || isToWait()) return
    const batch = waiting.slice(0, countOf(waiting, most))
    waiting = waiting.slice(batch.length)
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
  return (ids) =>
    new Promise((resolve, reject) => {
      const since = performance.now()
      waiting.push({ ids, since, trace: new AsyncResource('gather'), resolve, reject })
      startNext()
      if (together && waiting.length === 1) setTimeout(startNext, together.waitMs + 1)
    })
}

/** How many of the jobs that wait fit into one batch: at least one, and no more than `most` ids. */
function countOf(waiting: { ids: number[] }[], most: number): number {
  let size = 0
  const end = waiting.findIndex(({ ids }, i) => {
    size += ids.length
    return i > 0 && size > most
  })
  return end < 0 ? waiting.length : end
}
