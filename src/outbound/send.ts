import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../db/client.ts'
import { isTransient } from '../db/pg-errors.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import { run } from '../db/statement.ts'
import { learnSpelling } from '../identity/learn-spelling.ts'
import { TOO_LATE } from '../rules/window.ts'
import { decryptSecret } from '../secrets.ts'
import { addressOf, NO_ADDRESS } from './address.ts'
import { claimSend } from './claim-send.ts'
import { markEnded, markSent, requeueSend } from './end-send.ts'
import type { Graph } from './graph.ts'
import { readSend, type Send } from './read-send.ts'
import { backoffMs, type SendOutcome } from './send-errors.ts'
import { stopNumber } from './stopped-numbers.ts'

const GENERAL = { messaging_product: 'whatsapp', recipient_type: 'individual' }

export type SendParts = { db: Db; graph: Graph; secretsKey: Buffer | undefined }

/**
 * The result of one job. `gone`: the row is not queued any more; `stopped`: its number may not send; `waiting`: it is
 * not due, or the pair rate is used up. `retryInMs`: the job is to be enqueued again after that time; null: it is not.
 */
export type Sent = {
  outcome: SendOutcome['kind'] | 'waiting' | 'stopped' | 'gone'
  retryInMs: number | null
  /** The number that Meta refused: its `phone_number_id`, and the reason. */
  refused?: { number: string; reason: string }
}

/** After this time a row that could not be claimed is tried again. */
const LATER_MS = 6_000

/**
 * Sends one outbox row (docs/rules.md#how-a-send-ends). The row is claimed just before the request leaves, sent again
 * only when Meta certainly did not accept it, and left as `unknown` when the outcome is not known. A number whose token
 * or account Meta refuses is stopped, and its messages wait until it is provisioned again.
 */
export async function sendMessage(parts: SendParts, row: OutboxRow): Promise<Sent> {
  const { db } = parts
  const send = await run(db, readSend(row))
  if (!send) return { outcome: 'gone', retryInMs: null }
  if (send.stopped) return { outcome: 'stopped', retryInMs: null }
  if (send.late) {
    await run(db, markEnded(row, 'failed', TOO_LATE))
    return { outcome: 'failed', retryInMs: null }
  }
  const token = tokenOf(send, row.org, parts.secretsKey)
  if (token === undefined) {
    const refused = { number: send.remotePhoneId, reason: whyNoToken(send, parts.secretsKey) }
    await run(db, stopNumber(row.org, refused.number, refused.reason))
    return { outcome: 'number_refused', retryInMs: null, refused }
  }
  const address = addressOf(send)
  if (!address) {
    await run(db, markEnded(row, 'failed', NO_ADDRESS))
    return { outcome: 'failed', retryInMs: null }
  }
  const message = { ...GENERAL, ...address, ...send.payload, biz_opaque_callback_data: row.id }
  const claim = await run(db, claimSend(row))
  if (!claim) return { outcome: 'waiting', retryInMs: LATER_MS }
  const outcome = await parts.graph.send(send.remotePhoneId, token, message)
  return recordOutcome(db, row, send, claim.attempts, outcome)
}

async function recordOutcome(
  db: Db,
  row: OutboxRow,
  send: Send,
  attempts: number,
  outcome: SendOutcome,
): Promise<Sent> {
  const { kind } = outcome
  const retryInMs = kind === 'retry' ? backoffMs(attempts, outcome) : null
  await untilRecorded(async () => {
    if (kind === 'accepted') return run(db, markSent(row, outcome.wamid))
    if (kind === 'unknown' || kind === 'failed') return run(db, markEnded(row, kind, outcome.error))
    if (kind === 'number_refused') await run(db, stopNumber(row.org, send.remotePhoneId, outcome.error))
    await run(db, requeueSend(row, attempts, outcome.error, retryInMs ?? 0))
  })
  if (kind === 'accepted' && outcome.waId && send.phone) {
    await learnSpelling(db, row.org, send.phone, outcome.waId)
  }
  if (kind !== 'number_refused') return { outcome: kind, retryInMs }
  return { outcome: kind, retryInMs, refused: { number: send.remotePhoneId, reason: outcome.error } }
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

function tokenOf(send: Send, org: string, key: Buffer | undefined): string | undefined {
  if (!send.accessToken || !key) return undefined
  try {
    return decryptSecret(send.accessToken, key, `${org}/${send.wabaId}`)
  } catch {
    return undefined
  }
}

function whyNoToken(send: Send, key: Buffer | undefined): string {
  if (!send.accessToken) return 'no usable access token: its WABA has none'
  return `no usable access token: ${key ? 'SECRETS_KEY is not the key that encrypted it' : 'SECRETS_KEY is not set'}`
}
