import { byteaArray } from '../db/arrays.ts'
import type { Database } from '../db/client.ts'
import { type Traced, untraced } from '../tracing/tracing.ts'

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
  traced?: Traced
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

/** Ids follow the order of arrival: the ordinality is known to be sorted, so the plan has no sort. */
const INSERT = {
  name: 'inbox-insert',
  text: `insert into inbox (body)
         select body from unnest($1::bytea[]) with ordinality as arrived(body, place) order by place
         returning id`,
}

/**
 * Group commit: bodies that arrive while an insert is in flight join the next one, so a lone body is never
 * delayed and a crowd shares few commits. One insert at a time; a failed one rejects all its waiters.
 */
export function createInboxWriter({ db, onSaved, limits, traced = untraced }: InboxWriterParts): InboxWriter {
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
        const ids = await insert(db, bodies, bounds.deadlineMs)
        for (const waiter of batch) waiter.settle()
        // Answers go first: telling the queue takes the process 0.3 ms. Were it to throw, all are settled for good.
        void nextTurn()
          .then(() => onSaved(ids))
          .catch(() => undefined)
      })
    } catch (error) {
      for (const waiter of batch) waiter.settle(error)
    } finally {
      heldBytes -= bodies.reduce((sum, body) => sum + body.length, 0)
    }
  }

  const close = async () => {
    await running
    await nextTurn()
  }
  return { save, close }
}

/** The event loop's next turn. */
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

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

/** The time-out of a single query also destroys its connection, which may be half open. */
async function insert(db: Database['db'], bodies: Buffer[], timeoutMs: number): Promise<number[]> {
  const query = { ...INSERT, values: [byteaArray(bodies)], query_timeout: timeoutMs }
  const { rows } = await db.$client.query<{ id: string }>(query)
  return rows.map((row) => Number(row.id))
}
