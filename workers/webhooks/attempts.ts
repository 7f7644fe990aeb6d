import type { Db } from '../../src/db/client.ts'
import { run } from '../../src/db/statement.ts'
import { type AttemptRow, dropOldAttempts, keepAttempts } from '../../src/event-push/attempt-log.ts'

export type AttemptLog = {
  /** Keeps a request a second later. Of those that delivered their event, ten in a second and endpoint are kept. */
  add(attempt: AttemptRow): void
  /** Keeps what waits. Never rejects. */
  close(): Promise<void>
}

const WINDOW_MS = 1_000
const DELIVERED = 10
const OTHERS = 100

/** Creates the log of requests. What it cannot write is lost: people read it, and nothing depends on it. */
export function createAttemptLog(db: Db, onError: (error: unknown) => void): AttemptLog {
  let rows: AttemptRow[] = []
  const counts = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined

  async function write(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const all = rows
    rows = []
    counts.clear()
    if (all.length === 0) return
    const endpoints = new Map(all.map(({ orgId, endpointId }) => [endpointId, { orgId, endpointId }]))
    try {
      await run(db, keepAttempts(all))
      await run(db, dropOldAttempts([...endpoints.values()]))
    } catch (error) {
      onError(error)
    }
  }
  return {
    add(attempt) {
      const isDelivered = attempt.outcome === 'delivered'
      const key = `${attempt.endpointId} ${isDelivered}`
      const count = counts.get(key) ?? 0
      if (count >= (isDelivered ? DELIVERED : OTHERS)) return
      counts.set(key, count + 1)
      rows.push(attempt)
      timer ??= setTimeout(write, WINDOW_MS)
    },
    close: write,
  }
}
