import { createListener, type Listener } from '../../src/db/listen.ts'
import { succeeds } from '../../src/deadline.ts'
import { STORED_CHANNEL } from '../../src/inbox/insert.ts'
import type { Producer } from '../../src/queue/producer.ts'
import type { QueueWorker } from '../../src/queue/worker.ts'
import type { Tracing } from '../../src/tracing/tracing.ts'
import type { Route } from './route.ts'

export type ListenerParts = {
  directUrl: string
  producer: Pick<Producer, 'enqueueDeliveries'>
  tracing: Pick<Tracing, 'follow'>
}

/**
 * Creates the listener for single deliveries, which the receiver announces by NOTIFY when it stores them: the id, then
 * the trace. A delivery that cannot be routed at that moment is enqueued again, because its job may have found the row
 * locked and be done already.
 */
export function createSingleDeliveryListener(
  { directUrl, producer, tracing }: ListenerParts,
  route: Route,
): Listener {
  return createListener(directUrl, STORED_CHANNEL, async (payload) => {
    const [id, trace = ''] = payload.split(' ')
    const ids = [Number(id)]
    await tracing.follow(trace, () => route(ids)).catch(() => producer.enqueueDeliveries(ids))
  })
}

/** The worker, with a listener that is open while the worker takes jobs. */
export function withListener(worker: QueueWorker, listener: Listener): QueueWorker {
  return {
    ready: worker.ready,
    pause() {
      worker.pause()
      void listener.close()
    },
    resume() {
      worker.resume()
      listener.open()
    },
    async close(deadlineMs) {
      await Promise.all([worker.close(deadlineMs), succeeds(deadlineMs, listener.close)])
    },
  }
}
