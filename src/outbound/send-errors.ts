import { codesOf, effectOf } from '../rules/meta-errors.ts'

/** An error as the chatroom shows it, in the form in which Meta's statuses have it. */
export type ShownError = {
  code?: number
  title: string
  message?: string
  error_data?: { details: string }
}

/**
 * What a reply of the Graph API means for a send. `retry`: Meta certainly did not accept the message, and may the next
 * time. `number_refused`: Meta refuses the token or the account of the number. `notice`: Meta accepted the message but
 * says more than that. `error` holds no text of Meta's, since it is logged; `shown` does.
 */
export type SendOutcome =
  | { kind: 'accepted'; wamid: string; waId: string | undefined; notice: ShownError | undefined }
  | { kind: 'retry'; error: string; afterMs: number | undefined; pairLimited: boolean }
  | { kind: 'failed'; error: string; shown: ShownError }
  | { kind: 'number_refused'; error: string }
  | { kind: 'unknown'; error: string }

/** A reply as received; the body may be anything. `retryAfter` is the header of that name, in seconds. */
export type GraphReply = { status: number; retryAfter: string | null; body: unknown }

/**
 * Classifies the reply to a template, or to free text. Only a reply that has the message's id means accepted. A 2xx
 * without one, and a 5xx without a Graph error, leave the outcome unknown: the message may be on its way, and Meta has no
 * idempotency key.
 */
export function classifyReply({ status, retryAfter, body }: GraphReply, isTemplate: boolean): SendOutcome {
  if (status >= 200 && status < 300) return classifyAccepted(status, body)
  const [code] = codesOf([at(body, 'error')])
  if (code === undefined) return withoutCode(status, retryAfter)
  const error = `Graph error ${code} (HTTP ${status})`
  const effect = effectOf(code, isTemplate)
  if (effect === 'stop_number') return { kind: 'number_refused', error }
  const isBusy = effect === 'fail' && (status === 429 || at(body, 'error', 'is_transient') === true)
  if (isBusy || effect === 'retry' || effect === 'retry_slowly') {
    const pairLimited = effect === 'retry_slowly'
    return { kind: 'retry', error, afterMs: milliseconds(retryAfter), pairLimited }
  }
  return { kind: 'failed', error, shown: { code, title: error, ...textOf(body) } }
}

function classifyAccepted(status: number, body: unknown): SendOutcome {
  const wamid = at(body, 'messages', 0, 'id')
  if (typeof wamid !== 'string' || wamid === '') {
    return { kind: 'unknown', error: `${status} without a message id` }
  }
  const waId = textAt(body, 'contacts', 0, 'wa_id')
  const state = textAt(body, 'messages', 0, 'message_status') ?? textAt(body, 'message_status')
  const isHeld = state !== undefined && state !== 'accepted'
  const message = 'Meta accepted the message, but does not deliver it yet.'
  return { kind: 'accepted', wamid, waId, notice: isHeld ? { title: state, message } : undefined }
}

/** A request without a reply: the code of its error, and whether any of it may be on its way to Meta. */
export type Failure = { code: string; hasLeft: boolean }

/** Classifies a request without a reply. One that never left was certainly not accepted; of any other, nobody knows. */
export function classifyFailure({ code, hasLeft }: Failure): SendOutcome {
  return hasLeft
    ? { kind: 'unknown', error: `no reply: ${code}` }
    : { kind: 'retry', error: `not sent: ${code}`, afterMs: undefined, pairLimited: false }
}

const MAX_BACKOFF_MS = 600_000

/**
 * The wait after try number `attempts`: 2^n s, and 4^n s after the pair-rate error as Meta advises; at least what the
 * reply asks for, at most 10 minutes (docs/rules.md#back-off).
 */
export function backoffMs(
  attempts: number,
  outcome: { afterMs: number | undefined; pairLimited: boolean },
): number {
  const own = 1_000 * (outcome.pairLimited ? 4 : 2) ** Math.min(attempts, 10)
  return Math.min(Math.max(own, outcome.afterMs ?? 0), MAX_BACKOFF_MS)
}

function withoutCode(status: number, retryAfter: string | null): SendOutcome {
  const error = `HTTP ${status} without a Graph error`
  if (status === 429) return { kind: 'retry', error, afterMs: milliseconds(retryAfter), pairLimited: false }
  return status >= 500 ? { kind: 'unknown', error } : { kind: 'failed', error, shown: { title: error } }
}

/** Meta's text of an error: what went wrong, and the details. */
function textOf(body: unknown): Pick<ShownError, 'message' | 'error_data'> {
  const message = textAt(body, 'error', 'message')
  const details = textAt(body, 'error', 'error_data', 'details') ?? textAt(body, 'error', 'error_user_msg')
  return { ...(message && { message }), ...(details && { error_data: { details } }) }
}

function milliseconds(retryAfter: string | null): number | undefined {
  const seconds = Number(retryAfter ?? Number.NaN)
  return seconds >= 0 ? seconds * 1000 : undefined
}

const MAX_TEXT_LENGTH = 1_000

/** The text at a path, cut; undefined for anything else and for ''. */
function textAt(value: unknown, ...path: (string | number)[]): string | undefined {
  const text = at(value, ...path)
  return typeof text === 'string' && text !== '' ? text.slice(0, MAX_TEXT_LENGTH).toWellFormed() : undefined
}

function at(value: unknown, ...path: (string | number)[]): unknown {
  let here = value
  for (const key of path) {
    if (typeof here !== 'object' || here === null) return undefined
    here = (here as Record<string | number, unknown>)[key]
  }
  return here
}
