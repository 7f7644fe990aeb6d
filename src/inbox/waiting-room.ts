/** Bounds of an inbox writer. Bytes count bodies only; the deadline counts from the call of `save`. */
export type InboxLimits = {
  maxBatch: number
  maxBatchBytes: number
  maxWaitingBytes: number
  deadlineMs: number
}

/** The bodies that wait for the database fill the memory set aside for them: the sender must come back later. */
export class InboxFullError extends Error {
  override name = 'InboxFullError'
}

/** A body, and how to answer the caller that waits for it to be stored. */
export type Waiter = { body: Buffer; resolve(): void; reject(error: unknown): void }

export type WaitingRoom = {
  /**
   * Takes a body in. Resolves or rejects when its waiter is resolved or rejected, or rejects at the deadline; a body
   * whose deadline passed before its insert began is not stored.
   * @throws InboxFullError (as a rejection) when too many bytes wait already
   */
  add(body: Buffer): Promise<void>
  /** Bodies that wait for an insert. */
  size(): number
  /** Takes the oldest bodies out, as many as one insert may hold, at least one. Their memory counts until `release`. */
  takeBatch(): Waiter[]
  /** Frees the memory of bodies that were taken out. */
  release(bodies: Buffer[]): void
}

/** An empty waiting room with these bounds. */
export function createWaitingRoom(limits: InboxLimits): WaitingRoom {
  const waiting = new Set<Waiter>()
  let heldBytes = 0

  function add(body: Buffer): Promise<void> {
    if (heldBytes + body.length > limits.maxWaitingBytes) {
      return Promise.reject(new InboxFullError('too many deliveries wait for the database'))
    }
    heldBytes += body.length
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        if (waiting.delete(waiter)) heldBytes -= body.length
        reject(new Error(`not stored within ${limits.deadlineMs} ms`))
      }, limits.deadlineMs)
      const end = (answer: () => void) => {
        clearTimeout(timer)
        answer()
      }
      const waiter = {
        body,
        resolve: () => end(resolve),
        reject: (error: unknown) => end(() => reject(error)),
      }
      waiting.add(waiter)
    })
  }

  return {
    add,
    size: () => waiting.size,
    takeBatch: () => takeBatch(waiting, limits),
    release(bodies) {
      heldBytes -= bodies.reduce((sum, body) => sum + body.length, 0)
    },
  }
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
