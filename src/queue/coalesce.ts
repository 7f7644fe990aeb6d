/**
 * Makes a function that calls `work` at once, and once more for all calls that come within `ms` after that: many calls
 * cost no more than one each `ms`, and the last one is never lost.
 */
export function coalesce(work: () => unknown, ms: number): () => void {
  let timer: NodeJS.Timeout | undefined
  let isWanted = false
  const run = () => {
    isWanted = false
    work()
    timer = setTimeout(() => {
      timer = undefined
      if (isWanted) run()
    }, ms)
    timer.unref()
  }
  return () => {
    isWanted = true
    if (timer === undefined) run()
  }
}
