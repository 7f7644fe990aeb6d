import type { Database } from '../db/client.ts'
import { NO_TRACES, type Tracing } from '../tracing/tracing.ts'
import { insertBatch, insertSingle } from './insert.ts'
import { createWaitingRoom, type InboxLimits, type Waiter } from './waiting-room.ts'

export type InboxWriterParts = {
  db: Database['db']
  /** Called with the ids of each committed insert. It must not throw. */
  onSaved: (ids: number[]) => void
  limits?: Partial<InboxLimits>
  /** Makes each insert, and the announcement behind it, one span. */
  tracing?: Pick<Tracing, 'traced' | 'carry'>
}

export type InboxWriter = {
  /**
   * Resolves when the body is committed to the inbox. Rejects within `deadlineMs` when that is not known: the
   * row may exist all the same, which Meta's redelivery and the ledger of messages forgive.
   * @throws InboxFullError at once, when too many bytes wait already.
   */
  save(body: Buffer): Promise<void>
  /** Resolves when every body that was taken in has been answered and announced. */
  close(): Promise<void>
}

const LIMITS: InboxLimits = {
  maxBatch: 500,
  maxBatchBytes: 1024 * 1024,
  maxWaitingBytes: 64 * 1024 * 1024,
  deadlineMs: 3_000,
}

/**
 * Group commit: bodies that arrive while an insert is in flight join the next one, so a single body is never delayed
 * and a batch shares one commit. One insert runs at a time; when it fails, all its waiters are rejected.
 */
export function createInboxWriter({
  db,
  onSaved,
  limits,
  tracing = NO_TRACES,
}: InboxWriterParts): InboxWriter {
  const bounds = { ...LIMITS, ...limits }
  const insert = createInsert(db, tracing.carry)
  const waiting = createWaitingRoom(bounds)
  let draining: Promise<void> | undefined

  async function drain(): Promise<void> {
    while (waiting.size() > 0) await store(waiting.takeBatch())
    draining = undefined
  }

  async function store(batch: Waiter[]): Promise<void> {
    const bodies = batch.map((waiter) => waiter.body)
    try {
      await tracing.traced('store deliveries', { 'usher.deliveries': batch.length }, async () => {
        const ids = await insert(bodies, bounds.deadlineMs)
        for (const waiter of batch) waiter.resolve()
        onSaved(ids)
      })
    } catch (error) {
      for (const waiter of batch) waiter.reject(error)
    } finally {
      waiting.release(bodies)
    }
  }

  return {
    save(body) {
      const stored = waiting.add(body)
      if (waiting.size() > 0) draining ??= drain()
      return stored
    },
    close: async () => draining,
  }
}

/** A delivery is a single one when nothing was stored in the ms before it. */
const CALM_MS = 10

function createInsert(db: Database['db'], carry: () => string) {
  let calmFrom = 0
  return async (bodies: Buffer[], timeoutMs: number): Promise<number[]> => {
    const [single, ...others] = bodies
    const isSingle = single !== undefined && others.length === 0 && performance.now() > calmFrom
    try {
      if (isSingle) return await insertSingle(db, single, timeoutMs, carry())
      return await insertBatch(db, bodies, timeoutMs)
    } finally {
      calmFrom = performance.now() + CALM_MS
    }
  }
}
