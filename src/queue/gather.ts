/** What one job brings, and how it is told the end. */
type Waiting = { ids: number[]; resolve(): void; reject(error: unknown): void }

/**
 * Group commit for jobs that carry ids: those that come while all `slots` are at work are worked on together, at most
 * `most` ids at a time (a larger job goes by itself). So a lone job never waits, and a backlog of small jobs, as an
 * overloaded machine makes it, costs little more than one of large jobs. When a group fails, each of its jobs fails.
 */
export function createGatherer(
  work: (ids: number[]) => Promise<void>,
  { slots, most }: { slots: number; most: number },
): (ids: number[]) => Promise<void> {
  let waiting: Waiting[] = []
  let busy = 0

  const next = () => {
    if (busy < slots && waiting.length > 0) void workOn(takeGroup())
  }
  const workOn = async (group: Waiting[]) => {
    busy += 1
    try {
      await work(group.flatMap(({ ids }) => ids))
      for (const { resolve } of group) resolve()
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
      waiting.push({ ids, resolve, reject })
      next()
    })
}
