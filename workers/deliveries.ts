import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../src/db/client.ts'
import { createListener, type Listener } from '../src/db/listen.ts'
import { succeeds } from '../src/deadline.ts'
import { STORED_CHANNEL } from '../src/inbox/insert.ts'
import { countSuspectTries, readSuspects } from '../src/inbox/stranded.ts'
import type { Logger } from '../src/logger.ts'
import type { Metrics } from '../src/metrics.ts'
import type { Engine } from '../src/queue/connection.ts'
import { createGatherer } from '../src/queue/gather.ts'
import type { QueueName } from '../src/queue/names.ts'
import type { Producer } from '../src/queue/producer.ts'
import { createWorker, type QueueWorker } from '../src/queue/worker.ts'
import { type Routed, routeBatch } from '../src/routing/route-batch.ts'
import type { Tracing } from '../src/tracing/tracing.ts'

type Parts = {
  engine: Engine
  databaseUrl: string
  onCanary: (queue: QueueName) => Promise<void>
  db: Db
  producer: Producer
  metrics: Metrics
  tracing: Tracing
  log: Logger
  concurrency: number
}

/** Before a suspect is tried again, times its tries: whoever was killed only along with it goes first. */
const STEP_BACK_MS = 500

/** Rows in a batch. Larger ones are hardly cheaper for each row, and keep their customers locked longer. */
const MAX_BATCH = 200
/** Jobs in hand for each batch at work: what the next batch is made of. */
const JOBS_A_BATCH = 8

/**
 * Works on the queue `deliveries`: routes the inbox rows of the jobs in hand, in batches; lone ones as soon as they are
 * heard of, before their job comes. When a worker died, the rows of its jobs are tried again job by job, then one by one,
 * the least tried first: poison hurts only itself, and ends as a dead letter.
 */
export function startDeliveries(parts: Parts): QueueWorker {
  const { engine, onCanary, db, log, concurrency } = parts
  const inTurn = createTurns()
  const route = createRoute(parts)
  const gather = createGatherer(route, { slots: concurrency, most: MAX_BATCH })
  const worker = createWorker({
    engine,
    name: 'deliveries',
    onCanary,
    concurrency: concurrency * JOBS_A_BATCH,
    log,
    process: async (job) => {
      const { ids, suspect } = job.data
      const isFirst = !suspect && job.stalledCounter === 0
      const left = isFirst ? await leftOut(ids, gather) : ids
      if (left.length === 0) return
      for (const group of await readSuspects(db, left)) {
        await sleep(group.attempts * STEP_BACK_MS)
        await inTurn(async () => {
          const tries = await countTries(parts, group.ids)
          if (tries.length > 0) await route(tries)
        })
      }
    },
  })
  return listening(worker, hearLone(parts, gather))
}

/** Resolves with the deliveries that it did not leave out. */
type Route = (ids: number[]) => Promise<Set<number>>

/**
 * Those that are routed already, or that another worker holds, who heard of them: should it die of them, or freeze, they
 * are still to be routed once it lets go of them, and suspects.
 */
async function leftOut(ids: number[], route: Route): Promise<number[]> {
  const done = await route(ids)
  return ids.filter((id) => !done.has(id))
}

function createRoute({ db, producer, metrics, tracing, log }: Parts): Route {
  const poison = (err: unknown, delivery: number) =>
    log.error({ err, delivery }, 'an item could not be routed')
  return async (ids) => {
    const routed = await tracing.traced('route deliveries', { 'usher.delivery_ids': ids }, () =>
      routeBatch(db, ids, poison),
    )
    const done = new Set(routed.outcomes.map(({ id }) => id))
    if (done.size === 0) return done
    // Not awaited: the inbound path never waits for sending.
    if (routed.replies.length > 0) void producer.enqueueOutbound(routed.replies)
    count(routed, metrics, log)
    log.debug({ deliveries: [...done] }, 'deliveries worked on')
    return done
  }
}

function hearLone({ databaseUrl, producer, tracing }: Parts, route: Route): Listener {
  return createListener(databaseUrl, STORED_CHANNEL, async (payload) => {
    const [id, trace = ''] = payload.split(' ')
    const ids = [Number(id)]
    // Its job may have passed by then.
    await tracing.follow(trace, () => route(ids)).catch(() => producer.enqueueDeliveries(ids))
  })
}

/** The worker, which hears while it works. */
function listening(worker: QueueWorker, listener: Listener): QueueWorker {
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

/** Runs one work after another, so that none is counted as tried when another one kills the process. */
function createTurns(): (work: () => Promise<void>) => Promise<void> {
  let last = Promise.resolve()
  return (work) => {
    const mine = last.then(work)
    last = mine.catch(() => undefined)
    return mine
  }
}

async function countTries({ db, metrics, log }: Parts, ids: number[]): Promise<number[]> {
  const { tries, dead } = await countSuspectTries(db, ids)
  for (const delivery of dead) {
    log.error({ delivery }, 'a delivery never finished and is a dead letter now')
    metrics.dead.inc()
  }
  return tries
}

function count({ messages, outcomes }: Routed, metrics: Metrics, log: Logger): void {
  const now = Date.now()
  metrics.routingBatch.observe(messages.length)
  const routes = new Map<string, number>()
  for (const { route, message } of messages) {
    routes.set(route ?? 'none', (routes.get(route ?? 'none') ?? 0) + 1)
    metrics.routingSeconds.observe(Math.max(0, now - message.receivedAt.getTime()) / 1000)
  }
  for (const [route, n] of routes) metrics.routed.inc({ route }, n)
  for (const outcome of outcomes) {
    if (outcome.end === 'parked') {
      metrics.parked.inc()
      log.warn({ delivery: outcome.id, waitsFor: outcome.waitsFor }, 'a delivery waits to be provisioned')
    }
    if (outcome.end === 'dead') {
      metrics.dead.inc()
      log.error({ delivery: outcome.id, problems: outcome.problems.length }, 'a delivery is a dead letter')
    }
  }
}
