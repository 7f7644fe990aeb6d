import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../db/client.ts'
import { isTransient } from '../db/pg-errors.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { run } from '../db/statement.ts'
import { learnSpelling } from '../identity/learn-spelling.ts'
import { concernsCustomer } from '../rules/meta-errors.ts'
import type { AccessTokens } from './access-tokens.ts'
import { addressOf, NO_ADDRESS } from './address.ts'
import { markEnded, markSent, releaseSend, requeueSend } from './end-send.ts'
import type { Graph } from './graph.ts'
import type { Send } from './read-send.ts'
import { followRefusalsNow, refusalsOf } from './refusals.ts'
import { backoffMs, type SendOutcome } from './send-errors.ts'
import { stopNumbers } from './stopped-numbers.ts'

export type SendParts = { db: Db; graph: Graph; tokens: Pick<AccessTokens, 'tokenOf'> }

const ACTOR = 'sending'

/** How one try to send ended; `left`: no request was made, since this process cannot use the access token. */
export type Sent = SendOutcome | { kind: 'left'; error: string }

/**
 * Sends one claimed message (docs/rules.md#how-a-send-ends). It is sent again only when Meta certainly did not accept it,
 * and left as `unknown` when the outcome is not known. A number whose token or account Meta refuses is stopped, and its
 * messages wait until it is provisioned again.
 */
export async function sendMessage(parts: SendParts, send: Send): Promise<Sent> {
  const { db, graph, tokens } = parts
  const token = tokens.tokenOf(send)
  if (token === undefined) {
    const error = 'the access token cannot be used'
    await untilRecorded(() => run(db, releaseSend(send, send.attempts, error)))
    return { kind: 'left', error }
  }
  const address = addressOf(send)
  if (!address) {
    await untilRecorded(() => run(db, markEnded(send, 'failed', NO_ADDRESS)))
    return { kind: 'failed', error: NO_ADDRESS, shown: { title: NO_ADDRESS } }
  }
  const general = { messaging_product: 'whatsapp', recipient_type: 'individual' }
  const message = { ...general, ...address, ...send.payload, biz_opaque_callback_data: send.id }
  const outcome = await graph.send(send.remotePhoneId, token, message)
  await recordOutcome(db, send, outcome)
  return outcome
}

async function recordOutcome(db: Db, send: Send, outcome: SendOutcome): Promise<void> {
  const { kind } = outcome
  const { org: orgId, remotePhoneId, claimedAt: at, attempts } = send
  await untilRecorded(async () => {
    if (kind === 'accepted') return recordAccepted(db, send, outcome)
    if (kind === 'failed') return recordFailed(db, send, outcome)
    if (kind === 'unknown') return run(db, markEnded(send, kind, outcome.error))
    const reason = outcome.error
    if (kind === 'number_refused') await run(db, stopNumbers([{ orgId, remotePhoneId, at, reason }]))
    const waitMs = kind === 'retry' ? backoffMs(attempts, outcome) : 0
    await run(db, requeueSend(send, attempts, outcome.error, waitMs))
  })
  if (kind === 'accepted' && outcome.waId && send.phone) {
    await learnSpelling(db, send.org, send.phone, outcome.waId)
  }
}

type Accepted = Extract<SendOutcome, { kind: 'accepted' }>
type Failed = Extract<SendOutcome, { kind: 'failed' }>

async function recordAccepted(db: Db, send: Send, { wamid, notice }: Accepted): Promise<void> {
  const failed = await run(db, markSent(send, wamid, notice))
  await followRefusalsNow(db, refusalsOf(failed, ACTOR))
}

/** The message fails in the transaction that does what the error demands for its customer. */
async function recordFailed(db: Db, send: Send, { error, shown }: Failed): Promise<void> {
  const end = markEnded(send, 'failed', error, shown)
  const codes = shown.code === undefined ? [] : [shown.code]
  if (!concernsCustomer(codes)) return run(db, end)
  const { org: orgId, customerId, phoneId, remotePhoneId, claimedAt: at, payload } = send
  const refusal = { orgId, customerId, phoneId, remotePhoneId, at, codes, actor: ACTOR }
  await inRetriedTransaction(db, async (tx) => {
    await followRefusalsNow(tx, [{ ...refusal, isTemplate: payload.type === 'template' }])
    await run(tx, end)
  })
}

/** Shorter than the lease of a claim, after which the row becomes `unknown`. */
const RECORDING_MS = 50_000
const PAUSE_MS = 500

/** Only this process knows Meta's answer, so it is recorded again and again while PostgreSQL cannot be reached. */
async function untilRecorded(record: () => Promise<void>): Promise<void> {
  for (const end = performance.now() + RECORDING_MS; ; await sleep(PAUSE_MS)) {
    try {
      return await record()
    } catch (error) {
      if (!isTransient(error) || performance.now() > end) throw error
    }
  }
}
