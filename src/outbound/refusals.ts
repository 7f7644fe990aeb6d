import { insertEvents } from '../audit/record-events.ts'
import { pauseMarketing } from '../consent/pause-marketing.ts'
import { deactivateStopped, stopsAmong, writePreferences } from '../consent/preferences.ts'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { run, send } from '../db/statement.ts'
import { logEvents } from '../event-log/log-events.ts'
import { lockCustomers } from '../identity/lock-customers.ts'
import { codesOf, type ErrorEffect, effectOf } from '../rules/meta-errors.ts'
import { stopNumbers } from './stopped-numbers.ts'

/** Meta refused a message for good, in its answer or in a status. `at`: not later than the refusal. */
export type Refusal = {
  orgId: string
  customerId: string
  phoneId: string
  /** The `phone_number_id` that refused. */
  remotePhoneId: string
  isTemplate: boolean
  codes: number[]
  at: Date
  /** Who records it in the audit. */
  actor: string
}

/** A message that a status says has failed; `at` is Meta's time of the status. */
export type FailedMessage = Omit<Refusal, 'isTemplate' | 'codes' | 'actor'> & {
  type: string
  errors: unknown
}

/** The refusal behind each status that failed. */
export function refusalsOf(failed: FailedMessage[], actor: string): Refusal[] {
  return failed.map(({ type, errors, ...message }) => ({
    ...message,
    ...{ actor, isTemplate: type === 'template', codes: codesOf(errors) },
  }))
}

/** Statuses have whole seconds, so a refusal may be later than its status by nearly one. */
const SECOND_MS = 1_000

/**
 * Does what Meta's error codes demand beyond the message (docs/meta.md#error-codes): stops numbers, opts customers out of
 * marketing, or pauses marketing to them. The customers must be locked.
 */
export async function followRefusals(tx: Db, refusals: Refusal[]): Promise<void> {
  const stops = withEffect(refusals, 'stop_marketing').map((refusal) => {
    const reason = `Meta refused a marketing message (${codeText(refusal)})`
    // As Meta's own times, so that a resume within the same second counts.
    const at = new Date(Math.floor(refusal.at.getTime() / SECOND_MS) * SECOND_MS)
    return { ...refusal, value: 'stop' as const, at, reason }
  })
  const numbers = withEffect(refusals, 'stop_number').map((refusal) => ({
    ...refusal,
    at: new Date(refusal.at.getTime() + SECOND_MS - 1),
    reason: `status with ${codeText(refusal)}`,
  }))
  const [, pauses, news] = await send(tx, [
    stopNumbers(numbers),
    pauseMarketing(withEffect(refusals, 'pause_marketing')),
    writePreferences(stops),
  ])
  const deactivations = await run(tx, deactivateStopped(stopsAmong(stops, news)))
  await send(tx, [insertEvents([...news, ...deactivations]), logEvents(pauses)])
}

/** `followRefusals` in a transaction of its own. */
export async function followRefusalsNow(db: Db, refusals: Refusal[]): Promise<void> {
  if (refusals.length === 0) return
  await inRetriedTransaction(db, async (tx) => {
    await run(tx, lockCustomers(refusals.map(({ orgId, customerId }) => ({ orgId, id: customerId }))))
    await followRefusals(tx, refusals)
  })
}

function withEffect(refusals: Refusal[], effect: ErrorEffect): Refusal[] {
  return refusals.filter(({ codes, isTemplate }) =>
    codes.some((code) => effectOf(code, isTemplate) === effect),
  )
}

function codeText({ codes }: Refusal): string {
  return `Graph error ${codes.join(', ')}`
}
