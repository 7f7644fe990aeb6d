import type { Db } from '../../src/db/client.ts'
import type { Logger } from '../../src/logger.ts'
import type { Metrics } from '../../src/metrics.ts'
import type { Producer } from '../../src/queue/producer.ts'
import type { Routed } from '../../src/routing/route-batch.ts'
import { routeDeliveries } from '../../src/routing/route-deliveries.ts'
import type { Tracing } from '../../src/tracing/tracing.ts'
import type { AnnounceEvents } from '../webhooks/announce.ts'
import type { Yielding } from '../webhooks/yielding.ts'

export type RouteParts = {
  db: Db
  /** Recognises what was erased, when Meta delivers it again. */
  secretsKey?: Buffer | undefined
  producer: Pick<Producer, 'wakeSenders'>
  /** Has what happened in these orgs posted to their endpoints. */
  announceEvents: AnnounceEvents
  /** Learns how long the newest message of each batch had waited. */
  yielding: Pick<Yielding, 'noteRouted' | 'isHeldBack'>
  metrics: Metrics
  tracing: Pick<Tracing, 'traced'>
  log: Logger
}

/**
 * Routes inbox rows and resolves with the ids of those that it routed, parked or buried. It leaves out rows that are
 * gone and rows that another worker has locked.
 */
export type Route = (ids: number[]) => Promise<Set<number>>

/** Creates the routing of one batch in one transaction, with its span, its metrics and its log lines. */
export function createRoute(parts: RouteParts): Route {
  const { db, secretsKey, producer, announceEvents, tracing, log } = parts
  const onPoison = (err: unknown, delivery: number) =>
    log.error({ err, delivery }, 'an item of a delivery could not be routed')
  return async (ids) => {
    const routed = await tracing.traced('route deliveries', { 'usher.delivery_ids': ids }, () =>
      routeDeliveries(db, ids, onPoison, secretsKey),
    )
    const done = new Set(routed.outcomes.map(({ id }) => id))
    if (done.size === 0) return done
    if (routed.replies.length > 0) producer.wakeSenders()
    record(routed, parts)
    // While routing is late, posting waits anyway, and each job costs both.
    announceEvents(routed.orgs, parts.yielding.isHeldBack())
    log.debug({ deliveries: [...done] }, 'deliveries processed')
    return done
  }
}

function record({ messages, outcomes, waitedMs }: Routed, { yielding, metrics, log }: RouteParts): void {
  const now = Date.now()
  metrics.routingBatch.observe(messages.length)
  if (messages.length > 0) yielding.noteRouted(waitedMs)
  const routes = new Map<string, number>()
  for (const { route, message } of messages) {
    routes.set(route ?? 'none', (routes.get(route ?? 'none') ?? 0) + 1)
    metrics.routingSeconds.observe(Math.max(0, now - message.receivedAt.getTime()) / 1000)
  }
  for (const [route, n] of routes) metrics.routed.inc({ route }, n)
  for (const outcome of outcomes) {
    if (outcome.end === 'parked') {
      metrics.parked.inc()
      log.warn({ delivery: outcome.id, waitsFor: outcome.waitsFor }, 'a delivery was parked')
    }
    if (outcome.end === 'dead') {
      metrics.dead.inc()
      log.error(
        { delivery: outcome.id, problems: outcome.problems.length },
        'a delivery became a dead letter',
      )
    }
  }
}
