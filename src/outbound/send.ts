import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../db/client.ts'
import { isTransient } from '../db/pg-errors.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import { learnSpelling } from '../identity/learn-spelling.ts'
import { TOO_LATE } from '../rules/window.ts'
import { decryptSecret } from '../secrets.ts'
import type { Graph } from './graph.ts'
import { claimSend, readSend, type Send, settleEnded, settleRetry, settleSent, stopNumber } from './outbox.ts'
import { backoffMs, type SendOutcome } from './send-errors.ts'

export type SendParts = { db: Db; graph: Graph; secretsKey: Buffer | undefined }

/** What a job came to. `retryInMs`: tell the queue again then; null: not by time. */
export type Sent = { outcome: SendOutcome['kind'] | 'waiting' | 'stopped' | 'gone'; retryInMs: number | null }

/** The customer had enough messages for a minute, or the row is not due: looked at again after this. */
const LATER_MS = 6_000

/**
 * Sends one outbox row, once at most: it is claimed just before the request leaves, tried again only when it
 * certainly was not taken, and left as `unknown` when nobody can say. A number whose token or account is refused
 * is stopped, and its messages wait until it is provisioned again.
 */
export async function sendMessage(parts: SendParts, row: OutboxRow): Promise<Sent> {
  const { db } = parts
  const send = await readSend(db, row)
  if (!send) return { outcome: 'gone', retryInMs: null }
  if (send.stopped) return { outcome: 'stopped', retryInMs: null }
  if (send.late) {
    await settleEnded(db, row, 'failed', TOO_LATE)
    return { outcome: 'failed', retryInMs: null }
  }
  const token = tokenOf(send, row.org, parts.secretsKey)
  if (token === undefined) {
    await stopNumber(db, row.org, send.phoneId, 'no usable access token')
    return { outcome: 'stop', retryInMs: null }
  }
  const message = { ...addressed(send), biz_opaque_callback_data: row.id }
  const claim = await claimSend(db, row)
  if (!claim) return { outcome: 'waiting', retryInMs: LATER_MS }
  const outcome = await parts.graph.send(send.phoneId, token, message)
  return settle(db, row, send, claim.attempts, outcome)
}

async function settle(
  db: Db,
  row: OutboxRow,
  send: Send,
  attempts: number,
  outcome: SendOutcome,
): Promise<Sent> {
  const { kind } = outcome
  const retryInMs = kind === 'retry' ? backoffMs(attempts, outcome) : null
  await untilTold(async () => {
    if (kind === 'accepted') return settleSent(db, row, outcome.wamid)
    if (kind === 'unknown' || kind === 'failed') return settleEnded(db, row, kind, outcome.error)
    if (kind === 'stop') await stopNumber(db, row.org, send.phoneId, outcome.error)
    await settleRetry(db, row, attempts, outcome.error, retryInMs ?? 0)
  })
  if (kind === 'accepted' && outcome.waId && send.phone)
    await learnSpelling(db, row.org, send.phone, outcome.waId)
  return { outcome: kind, retryInMs }
}

/** As long as the claim lasts; after that, the row is called `unknown`. */
const TELL_MS = 50_000
const AGAIN_MS = 500

/** What Meta answered is known here alone: should PostgreSQL be away, it is told again until it has heard. */
async function untilTold(tell: () => Promise<void>): Promise<void> {
  for (const end = performance.now() + TELL_MS; ; await sleep(AGAIN_MS)) {
    try {
      return await tell()
    } catch (error) {
      if (!isTransient(error) || performance.now() > end) throw error
    }
  }
}

/** To the phone while one is known, as Meta recommends; always with a plus, or Meta may add a country code. */
function addressed(send: Send): Record<string, unknown> {
  const to = send.waId ? `+${send.waId}` : send.phone
  const address = to ? { to } : { recipient: send.userId }
  return { messaging_product: 'whatsapp', recipient_type: 'individual', ...address, ...send.payload }
}

function tokenOf(send: Send, org: string, key: Buffer | undefined): string | undefined {
  if (!send.accessToken || !key) return undefined
  try {
    return decryptSecret(send.accessToken, key, `${org}/${send.wabaId}`)
  } catch {
    return undefined
  }
}
