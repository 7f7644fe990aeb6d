import { AsyncResource } from 'node:async_hooks'

/** What one job brings, the trace it is a part of, and how it is told the end. */
type Waiting<T> = {
  ids: number[]
  scope: AsyncResource
  resolve(result: T): void
  reject(error: unknown): void
}

/**
 * Group commit for jobs that carry ids: those that come while all `slots` are at work are worked on together, at most
 * `most` ids at a time (a larger job goes by itself). So a lone job never waits, and a backlog of small jobs, as an
 * overloaded machine makes it, costs little more than one of large jobs. Each job ends as its group does.
 * A group is a part of the trace of its first job.
 */
export function createGatherer<T>(
  work: (ids: number[]) => Promise<T>,
  { slots, most }: { slots: number; most: number },
): (ids: number[]) => Promise<T> {
  let waiting: Waiting<T>[] = []
  let busy = 0

  const next = () => {
    if (busy === slots) return
    const group = takeGroup()
    void group[0]?.scope.runInAsyncScope(workOn, undefined, group)
  }
  const workOn = async (group: Waiting<T>[]) => {
    busy += 1
    try {
      const result = await work(group.flatMap(({ ids }) => ids))
      for (const { resolve } of group) resolve(result)
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
    busy -= 1
    next()
  }
  const takeGroup = () => {
    let size = 0
    const end = waiting.findIndex(({ ids }, i) => {
      size += ids.length
      return i > 0 && size > most
    })
    const group = end < 0 ? waiting : waiting.slice(0, end)
    waiting = waiting.slice(group.length)
    return group
  }
  return (ids) =>
    new Promise((resolve, reject) => {
      waiting.push({ ids, scope: new AsyncResource('gather'), resolve, reject })
      next()
    })
}
