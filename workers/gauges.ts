import type { Db } from '../src/db/client.ts'
import { readLogFigures } from '../src/event-feed/log-figures.ts'
import { readWebhookFigures } from '../src/event-push/figures.ts'
import { type Ages, readHeartbeats } from '../src/heartbeats/read-heartbeats.ts'
import { inboxFigures } from '../src/inbox/figures.ts'
import { countStrays, STRAYS } from '../src/messages/count-strays.ts'
import type { Metrics } from '../src/metrics.ts'
import { countStoppedNumbers } from '../src/outbound/stopped-numbers.ts'
import { queueDepths } from '../src/queue/depths.ts'
import type { Producer } from '../src/queue/producer.ts'

type Parts = { db: Db; producer: Producer; metrics: Metrics }

/**
 * Brings the gauges up to date. Reads the database and the queues independently, so that the inbox stays visible while
 * the queues are away.
 * @throws the error of the one that failed; the other one still updates its gauges.
 */
export async function refreshGauges({ db, producer, metrics }: Parts): Promise<void> {
  const fromDatabase = async () => {
    const [figures, stopped, beats, eventLog, webhooks, strays] = await Promise.all([
      inboxFigures(db),
      countStoppedNumbers(db),
      readHeartbeats(db),
      readLogFigures(db),
      readWebhookFigures(db),
      countStrays(db),
    ])
    metrics.stoppedNumbers.set(stopped)
    metrics.oldestUnroutedSeconds.set(figures.oldestUnroutedSeconds)
    metrics.oldestRetriedSeconds.set(figures.oldestRetriedSeconds)
    metrics.parkedNow.set(figures.parked)
    metrics.deadNow.set(figures.dead)
    for (const [queue, age] of known(beats.canaries)) metrics.canaryAge.set({ queue }, age)
    for (const [sweep, age] of known(beats.sweeps)) metrics.sweepAge.set({ sweep }, age)
    metrics.webhooksDisabled.set(webhooks.disabled)
    metrics.webhooksFailing.set(webhooks.failing)
    metrics.eventLogUnreadable.set(eventLog.unreadableSeconds)
    for (const month of STRAYS) metrics.ledgerStrays.set({ month }, strays[month])
    for (const { partition, bytes } of eventLog.sizes) metrics.eventLogBytes.set({ partition }, bytes)
  }
  const fromQueues = async () => {
    for (const [queue, states] of Object.entries(await queueDepths(producer.queues()))) {
      for (const [state, jobs] of Object.entries(states)) metrics.queueJobs.set({ queue, state }, jobs)
    }
  }
  await Promise.all([fromDatabase(), fromQueues()])
}

function known(ages: Ages): [string, number][] {
  return Object.entries(ages).flatMap(([name, age]): [string, number][] =>
    age === null ? [] : [[name, age]],
  )
}
