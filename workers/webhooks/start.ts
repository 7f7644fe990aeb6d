import type { Db } from '../../src/db/client.ts'
import { run } from '../../src/db/statement.ts'
import { COMMIT, inReplayableTransaction } from '../../src/db/transaction.ts'
import { succeeds } from '../../src/deadline.ts'
import { type AttemptRow, toAttempt } from '../../src/event-push/attempt-log.ts'
import { findDue, LIST_DUE_LANES, listTargets } from '../../src/event-push/find-due.ts'
import type { Attempt, PushParts } from '../../src/event-push/lane-steps.ts'
import type { EventClient } from '../../src/event-push/post-event.ts'
import { pushLane } from '../../src/event-push/push-lane.ts'
import { type Progress, recordProgress } from '../../src/event-push/record-progress.ts'
import { type TakenLane, takeLanes } from '../../src/event-push/take-lanes.ts'
import type { EndpointKey } from '../../src/event-push/target.ts'
import { USER_AGENT } from '../../src/event-push/user-agent.ts'
import type { Logger } from '../../src/logger.ts'
import type { Metrics } from '../../src/metrics.ts'
import { oncePerSecond } from '../../src/once-per-second.ts'
import type { Engine } from '../../src/queue/connection.ts'
import type { QueueName } from '../../src/queue/names.ts'
import { createWorker, type QueueWorker } from '../../src/queue/worker.ts'
import type { Tracing } from '../../src/tracing/tracing.ts'
import { type AttemptLog, createAttemptLog } from './attempts.ts'
import { lookAgainAndAgain } from './look.ts'
import { createRecorder } from './recorder.ts'
import { createPushTurns } from './turns.ts'
import type { Yielding } from './yielding.ts'

type Parts = {
  /** Of a pool of its own, so that posting takes no connection from routing. */
  db: Db
  client: EventClient
  secretsKey: Buffer | undefined
  yielding: Pick<Yielding, 'mayWork'>
  engine: Engine
  onCanary: (queue: QueueName) => Promise<void>
  metrics: Metrics
  tracing: Tracing
  log: Logger
}

/** Requests under way at the same time in one process; the events of a lane that wait are in memory. */
const SLOTS = 256
/** How long the progress of a lane waits for that of others. A lane that goes on posts nothing meanwhile. */
const NEXT_WINDOW_MS = 3
const END_WINDOW_MS = 10
/** A lane that is due waits for about a second; an event whose job was lost, for about five. */
const LOOK_EVERY_MS = 1_000
const LOOKS_AT_LANES = 4

/**
 * Starts to post events to the endpoints of orgs. What is to be posted is in the event log; a job of the queue `webhooks`
 * says in which orgs something happened, and every few seconds the process looks for itself.
 */
export function startWebhooks(parts: Parts): QueueWorker {
  const { db, engine, onCanary, secretsKey, tracing, yielding, log } = parts
  const warn = oncePerSecond(log)
  const onError = (err: unknown) => warn(err, 'events could not be taken for posting: trying again')
  let isEnding = false
  const attempts = createAttemptLog(db, onError)
  const push = createPush(parts, attempts, () => isEnding)
  const turns = createPushTurns({
    async take(endpoints, slots) {
      await yielding.mayWork()
      const all = await takeLanes(db, endpoints, { slots, secretsKey })
      const sealed = endpoints.find((_, i) => all[i]?.isSealed)
      if (sealed) warn(undefined, 'SECRETS_KEY does not fit the secret of a webhook endpoint', sealed)
      return all
    },
    ...{ push, slots: SLOTS, tracing, onError },
  })
  const find = createFinder(db)
  const looks = lookAgainAndAgain(async () => turns.add(await find()), LOOK_EVERY_MS, onError)
  const process = async ({ data }: { data: { orgs: string[] } }) =>
    turns.add(await run(db, listTargets(data.orgs)))
  const worker = createWorker({ engine, name: 'webhooks', onCanary, concurrency: 1, log, process })
  return {
    ready: worker.ready,
    pause() {
      for (const part of [worker, looks, turns]) part.pause()
    },
    resume() {
      for (const part of [worker, looks, turns]) part.resume()
    },
    async close(deadlineMs) {
      isEnding = true
      for (const part of [looks, turns]) part.pause()
      await Promise.all([worker.close(deadlineMs), succeeds(deadlineMs, turns.rest)])
      await attempts.close()
      parts.client.close()
    },
  }
}

/** Finds what is due: each time the lanes, and some times the events too, which takes longer. */
function createFinder(db: Db): () => Promise<EndpointKey[]> {
  let looked = 0
  return () => {
    looked += 1
    return run(db, looked % (LOOKS_AT_LANES + 1) === 1 ? findDue() : LIST_DUE_LANES)
  }
}

/** Posts the events of a lane; never rejects. */
function createPush(
  { db, client, yielding, metrics, tracing, log }: Parts,
  attempts: AttemptLog,
  isEnding: () => boolean,
): (lane: TakenLane) => Promise<boolean> {
  const write = (all: Progress[]) =>
    inReplayableTransaction(db, { first: [recordProgress(all), COMMIT] }, async (_tx, [mine]) => mine)
  const recordNext = createRecorder(write, NEXT_WINDOW_MS)
  const recordEnd = createRecorder(write, END_WINDOW_MS)
  const idsOf = ({ orgId, endpointId }: TakenLane) => ({ org: orgId, endpoint: endpointId })
  const pushing: PushParts = {
    ...{ db, client, tracing, userAgent: USER_AGENT, isEnding, mayPost: yielding.mayWork },
    // The record of a lane that ends waits for the taker of its endpoint's lanes; those that go on do not wait for it.
    record: (progress) => (progress.step === 'goes_on' ? recordNext : recordEnd)(progress),
    onAttempt(attempt) {
      const { posted, verdict, ageMs } = attempt
      attempts.add(rowOf(attempt))
      metrics.webhookAttempts.inc({ outcome: verdict })
      metrics.webhookSeconds.observe(posted.ms / 1_000)
      if (verdict === 'delivered') metrics.webhookLag.observe(Math.max(0, ageMs) / 1_000)
    },
    onDisabled(lane, reason) {
      log.error({ ...idsOf(lane), reason }, 'a webhook endpoint was disabled')
    },
  }
  return async (lane) => {
    try {
      return await pushLane(pushing, lane)
    } catch (err) {
      log.error({ ...idsOf(lane), err }, 'events of a lane could not be posted')
      return false
    }
  }
}

function rowOf({ lane, event, posted, at }: Attempt): AttemptRow {
  const { orgId, endpointId } = lane
  const { seq, type } = event.row
  return toAttempt({ ...{ orgId, endpointId, at, type }, eventId: `evt_${seq}` }, posted)
}
