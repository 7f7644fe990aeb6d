/** Ids kept while the queue is away. `requeue-stranded` finds the rows beyond this number, 10 s later. */
const MAX_IDS = 100_000
const RETRY_MS = 500

/**
 * Keeps ids that the queue refused and passes them to `retry` half a second later, all together; `retry` adds what is
 * refused again.
 */
export function createRetries(retry: (ids: number[]) => Promise<void>) {
  let refused: number[] = []
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  function retryAll(): Promise<void> {
    const ids = refused
    refused = []
    timer = undefined
    return retry(ids)
  }

  return {
    /** Drops the ids when there are too many, or after `stop`. */
    add(ids: number[]): void {
      if (isStopped || refused.length + ids.length > MAX_IDS) return
      refused = refused.concat(ids)
      timer ??= setTimeout(retryAll, RETRY_MS)
    },
    stop(): void {
      isStopped = true
      clearTimeout(timer)
    },
  }
}
