import { run } from '../../src/db/statement.ts'
import { succeeds } from '../../src/deadline.ts'
import type { Logger } from '../../src/logger.ts'
import type { Metrics } from '../../src/metrics.ts'
import { oncePerSecond } from '../../src/once-per-second.ts'
import type { AccessTokens } from '../../src/outbound/access-tokens.ts'
import type { Turns } from '../../src/outbound/choose-pairs.ts'
import { type Claimed, claimSends } from '../../src/outbound/claim-sends.ts'
import type { Graph } from '../../src/outbound/graph.ts'
import type { Send } from '../../src/outbound/read-send.ts'
import { type SendParts, sendMessage } from '../../src/outbound/send.ts'
import type { Engine } from '../../src/queue/connection.ts'
import type { QueueName } from '../../src/queue/names.ts'
import { createWorker, type QueueWorker } from '../../src/queue/worker.ts'
import type { Tracing } from '../../src/tracing/tracing.ts'
import { createSendTurns, type SendTurns } from './turns.ts'

type Parts = SendParts & {
  tokens: AccessTokens
  announceEvents: (orgIds: string[]) => void
  engine: Engine
  onCanary: (queue: QueueName) => Promise<void>
  metrics: Metrics
  tracing: Tracing
  log: Logger
}

/**
 * Sends under way at the same time in one process, and those of one org among them, so that an org whose sends stall
 * leaves slots to the others. Each waits for the Graph API for at most 10 s.
 */
const SLOTS = 32
const SLOTS_OF_ORG = 24

const NOT_SENT = 'a message was not sent, or its outcome is unknown'

/**
 * Starts the senders of this process. What is to be sent, and when, is in the outbox; a job of the queue `outbound` only
 * wakes the senders, so that they need not wait for the second after which they look by themselves.
 */
export function startSending(parts: Parts): QueueWorker {
  const { engine, onCanary, tracing, log } = parts
  const warn = oncePerSecond(log)
  const graph: Graph = {
    send: (...args) => tracing.traced('Graph send', {}, () => parts.graph.send(...args)),
  }
  const turns = createSendTurns({
    claim: (wanted) => claim(parts, wanted),
    send: (send) => sendAndTell({ ...parts, graph }, send),
    slots: SLOTS,
    slotsOfOrg: SLOTS_OF_ORG,
    onError: (err) => warn(err, 'no message could be claimed: trying again'),
  })
  const process = async () => turns.wake()
  return withTurns(createWorker({ engine, name: 'outbound', onCanary, concurrency: 1, log, process }), turns)
}

/** Claims nothing while this process has no key for the access tokens. Messages that fail in the claim are logged. */
async function claim(parts: Parts, wanted: Omit<Turns, 'unusable'>): Promise<Claimed> {
  const { db, tokens, metrics, log } = parts
  const hasKey = await tokens.expectKey().then(
    () => true,
    () => false,
  )
  if (!hasKey) return { sends: [], refused: [], looked: 0 }
  const claimed = await run(db, claimSends({ ...wanted, unusable: tokens.unusable() }))
  for (const one of claimed.refused) {
    metrics.sends.inc({ outcome: 'failed' })
    log.warn({ ...one, outcome: 'failed' }, NOT_SENT)
  }
  return claimed
}

async function sendAndTell(parts: Parts, send: Send): Promise<void> {
  const { metrics, log } = parts
  const ids = { org: send.org, send: send.id }
  try {
    const outcome = await sendMessage(parts, send)
    metrics.sends.inc({ outcome: outcome.kind })
    parts.announceEvents([send.org])
    if (outcome.kind === 'accepted' || outcome.kind === 'retry') return
    const about = { ...ids, number: send.remotePhoneId, outcome: outcome.kind, reason: outcome.error }
    if (outcome.kind === 'number_refused')
      log.error(about, 'a number may not send: its sends wait until it is provisioned again')
    else log.warn(about, NOT_SENT)
  } catch (err) {
    log.error({ ...ids, err }, 'the outcome of a send could not be recorded')
  }
}

function withTurns(worker: QueueWorker, turns: SendTurns): QueueWorker {
  return {
    ready: worker.ready,
    pause() {
      worker.pause()
      turns.pause()
    },
    resume() {
      worker.resume()
      turns.resume()
    },
    async close(deadlineMs) {
      await Promise.all([worker.close(deadlineMs), succeeds(deadlineMs, turns.close)])
    },
  }
}
