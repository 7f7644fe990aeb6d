import type { Engine } from '../../src/queue/connection.ts'
import { createGatherer } from '../../src/queue/gather.ts'
import type { QueueName } from '../../src/queue/names.ts'
import { createWorker, type QueueWorker } from '../../src/queue/worker.ts'
import { createSingleDeliveryListener, type ListenerParts, withListener } from './listen.ts'
import { createRoute, type RouteParts } from './route.ts'
import { createSuspectRouting } from './suspects.ts'

type Parts = RouteParts &
  ListenerParts & {
    engine: Engine
    onCanary: (queue: QueueName) => Promise<void>
    /** Batches that are routed at the same time. */
    concurrency: number
  }

/** Rows in a batch. A larger batch costs hardly less for each row, and keeps its customers locked for longer. */
const MAX_BATCH = 200
/** So many deliveries are worth a batch beside those under way; fewer wait until none is under way, for so long. */
const TOGETHER = { ids: 20, waitMs: 20 }
/** Jobs taken for each batch in progress. The jobs that wait for a batch to end make up the next one. */
const JOBS_PER_BATCH = 8

/**
 * Starts the worker of the queue `deliveries`. It routes the inbox rows of its jobs in batches, and a single delivery as
 * soon as PostgreSQL notifies it, before the job of that delivery arrives. The rows of a job whose worker died are
 * suspects: `suspects.ts` routes them, so that a poison message affects only itself and ends as a dead letter.
 */
export function startDeliveries(parts: Parts): QueueWorker {
  const { engine, onCanary, log, concurrency } = parts
  const route = createRoute(parts)
  const routeInBatches = createGatherer(route, { slots: concurrency, most: MAX_BATCH, together: TOGETHER })
  const routeSuspects = createSuspectRouting(parts, route)
  const worker = createWorker({
    engine,
    name: 'deliveries',
    onCanary,
    concurrency: concurrency * JOBS_PER_BATCH,
    log,
    process: async (job) => {
      const { ids, suspect } = job.data
      const isSuspect = suspect || job.stalledCounter > 0
      await routeSuspects(isSuspect ? ids : await listUnrouted(ids))
    },
  })

  /**
   * Ids that this call did not route: already routed, or locked by another worker. If that worker dies or freezes, its
   * rows are still to be routed once their locks are released; they are then suspects.
   */
  async function listUnrouted(ids: number[]): Promise<number[]> {
    const done = await routeInBatches(ids)
    return ids.filter((id) => !done.has(id))
  }

  return withListener(worker, createSingleDeliveryListener(parts, routeInBatches))
}
