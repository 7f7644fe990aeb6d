/**
 * What a reply of the Graph API means for a send. `retry`: Meta certainly did not accept the message, and may the next
 * time. `number_refused`: Meta refuses the token or the account of the number.
 */
export type SendOutcome =
  | { kind: 'accepted'; wamid: string; waId: string | undefined }
  | { kind: 'retry'; error: string; afterMs: number | undefined; pairLimited: boolean }
  | { kind: 'failed'; error: string }
  | { kind: 'number_refused'; error: string }
  | { kind: 'unknown'; error: string }

/** A reply as received; the body may be anything. `retryAfter` is the header of that name, in seconds. */
export type GraphReply = { status: number; retryAfter: string | null; body: unknown }

/** Meta's error codes by class (docs/meta.md#error-codes). A code in no list is retried after 429 and 5xx, else it failed. */
const PAIR_RATE = 131056
const RETRY = new Set([1, 2, 4, 80007, 130429, 131000, 131016, 131057, 133004, PAIR_RATE])
const NUMBER_REFUSED = new Set([0, 3, 10, 190, 368, 131005, 131031])
const isPermission = (code: number) => code >= 200 && code <= 299

/**
 * Classifies a reply. Only a reply that has the message's id means accepted. A 2xx without one, and a 5xx without a
 * Graph error, leave the outcome unknown: the message may be on its way, and Meta has no idempotency key.
 */
export function classifyReply({ status, retryAfter, body }: GraphReply): SendOutcome {
  if (status >= 200 && status < 300) {
    const wamid = at(body, 'messages', 0, 'id')
    if (typeof wamid !== 'string' || wamid === '')
      return { kind: 'unknown', error: `${status} without a message id` }
    const waId = at(body, 'contacts', 0, 'wa_id')
    return { kind: 'accepted', wamid, waId: typeof waId === 'string' && waId !== '' ? waId : undefined }
  }
  const code = at(body, 'error', 'code')
  if (typeof code !== 'number') return withoutCode(status, retryAfter)
  const error = `Graph error ${code} (HTTP ${status})`
  if (NUMBER_REFUSED.has(code) || isPermission(code)) return { kind: 'number_refused', error }
  const transient = RETRY.has(code) || status === 429 || status >= 500
  if (transient)
    return { kind: 'retry', error, afterMs: milliseconds(retryAfter), pairLimited: code === PAIR_RATE }
  return { kind: 'failed', error }
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
  return status >= 500 ? { kind: 'unknown', error } : { kind: 'failed', error }
}

function milliseconds(retryAfter: string | null): number | undefined {
  const seconds = Number(retryAfter ?? Number.NaN)
  return seconds >= 0 ? seconds * 1000 : undefined
}

function at(value: unknown, ...path: (string | number)[]): unknown {
  let here = value
  for (const key of path) {
    if (typeof here !== 'object' || here === null) return undefined
    here = (here as Record<string | number, unknown>)[key]
  }
  return here
}
