import type { Database } from '../db/client.ts'
import { NO_TRACES, type Tracing } from '../tracing/tracing.ts'
import { insertCrowd, insertLone } from './insert.ts'

/** Bounds of an inbox writer. Bytes count bodies only; the deadline counts from the call of `save`. */
export type InboxLimits = {
  maxBatch: number
  maxBatchBytes: number
  maxWaitingBytes: number
  deadlineMs: number
}

export type InboxWriterParts = {
  db: Database['db']
  /** Told the ids of each committed insert: a hint, so whatever it throws is ignored. Must not reject. */
  onSaved: (ids: number[]) => void
  limits?: Partial<InboxLimits>
  /** Makes each insert, and what it announces, one span. */
  tracing?: Pick<Tracing, 'traced' | 'carry'>
}

export type InboxWriter = {
  /**
   * Resolves when the body is committed to the inbox. Rejects within `deadlineMs` when that is not known: the
   * row may exist all the same, which Meta's redelivery and the ledger of messages forgive.
   * @throws InboxFullError at once, when too many bytes wait already.
   */
  save(body: Buffer): Promise<void>
  /** Resolves when everything taken in so far has been answered and told. */
  close(): Promise<void>
}

/** The bodies waiting for the database fill the memory set aside for them: come back later. */
export class InboxFullError extends Error {
  override name = 'InboxFullError'
}

type Waiter = { body: Buffer; settle(error?: unknown): void }

const LIMITS: InboxLimits = {
  maxBatch: 500,
  maxBatchBytes: 1024 * 1024,
  maxWaitingBytes: 64 * 1024 * 1024,
  deadlineMs: 3_000,
}

/**
 * Group commit: bodies that arrive while an insert is in flight join the next one, so a lone body is never
 * delayed and a crowd shares few commits. One insert at a time; a failed one rejects all its waiters.
 */
export function createInboxWriter({
  db,
  onSaved,
  limits,
  tracing = NO_TRACES,
}: InboxWriterParts): InboxWriter {
  const { traced } = tracing
  const insert = createInsert(db, tracing.carry)
  const bounds = { ...LIMITS, ...limits }
  const waiting = new Set<Waiter>()
  let heldBytes = 0
  let running: Promise<void> | undefined

  function save(body: Buffer): Promise<void> {
    if (heldBytes + body.length > bounds.maxWaitingBytes) {
      return Promise.reject(new InboxFullError('too many deliveries wait for the database'))
    }
    heldBytes += body.length
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        if (waiting.delete(waiter)) heldBytes -= body.length
        reject(new Error(`not stored within ${bounds.deadlineMs} ms`))
      }, bounds.deadlineMs)
      const settle = (error?: unknown) => {
        clearTimeout(timer)
        if (error === undefined) resolve()
        else reject(error)
      }
      const waiter = { body, settle }
      waiting.add(waiter)
      running ??= drain()
    })
  }

  async function drain(): Promise<void> {
    while (waiting.size > 0) await store(takeBatch(waiting, bounds))
    running = undefined
  }

  async function store(batch: Waiter[]): Promise<void> {
    const bodies = batch.map((waiter) => waiter.body)
    try {
      await traced('store deliveries', { 'usher.deliveries': batch.length }, async () => {
        const ids = await insert(bodies, bounds.deadlineMs)
        for (const waiter of batch) waiter.settle()
        onSaved(ids)
      })
    } catch (error) {
      for (const waiter of batch) waiter.settle(error)
    } finally {
      heldBytes -= bodies.reduce((sum, body) => sum + body.length, 0)
    }
  }

  return { save, close: async () => running }
}

function takeBatch(waiting: Set<Waiter>, limits: InboxLimits): Waiter[] {
  const batch: Waiter[] = []
  let bytes = 0
  for (const waiter of waiting) {
    bytes += waiter.body.length
    if (batch.length > 0 && (batch.length === limits.maxBatch || bytes > limits.maxBatchBytes)) break
    batch.push(waiter)
    waiting.delete(waiter)
  }
  return batch
}

/** A delivery is a lone one when the one before it was stored that long ago. */
const CALM_MS = 10

function createInsert(db: Database['db'], carry: () => string) {
  let calmFrom = 0
  return async (bodies: Buffer[], timeoutMs: number): Promise<number[]> => {
    const lone = bodies.length === 1 && performance.now() > calmFrom
    try {
      return await (lone ? insertLone(db, bodies, timeoutMs, carry()) : insertCrowd(db, bodies, timeoutMs))
    } finally {
      calmFrom = performance.now() + CALM_MS
    }
  }
}
