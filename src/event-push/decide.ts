/** How a request ended, as far as it decides: its status, or why there was no answer. */
export type Ending = { status: number; retryAfter: string | undefined } | { status: undefined; error: string }

/** What an ending says: of the event (`rejected`), or of the endpoint (`failed`, `gone`). */
export type Verdict = 'delivered' | 'rejected' | 'failed' | 'gone'

/** Four of the statuses from 400 to 499 do not speak about the event; they are failures, as 5xx are. */
const NOT_ABOUT_THE_EVENT = [408, 409, 425, 429]

/** Judges an ending. A redirect is not followed, and is a failure. */
export function judge({ status }: Ending): Verdict {
  if (status === undefined) return 'failed'
  if (status >= 200 && status < 300) return 'delivered'
  if (status === 410) return 'gone'
  const isRejection = status >= 400 && status < 500 && !NOT_ABOUT_THE_EVENT.includes(status)
  return isRejection ? 'rejected' : 'failed'
}

/** What went wrong, without anything of the answer. */
export function reasonOf(ending: Ending): string {
  if (ending.status === undefined) return `no answer: ${ending.error}`
  const isRedirect = ending.status >= 300 && ending.status < 400
  return `answer ${ending.status}${isRedirect ? ', a redirect' : ''}`
}

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000]
const DAY = 24 * HOUR

/** The waits between the tries of Standard Webhooks; the last one stays. */
const FAILURE_WAITS = [
  ...[5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR],
  24 * HOUR,
]
/** A rejected event holds up its lane, so its ten tries take an hour. */
const REJECTION_WAITS = [
  ...[5 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE],
  25 * MINUTE,
]
const REJECTION_TRIES = REJECTION_WAITS.length + 1
const MAX_FAILING_MS = 3 * DAY
const JITTER = 0.2

/** What an event has been through: the tries that failed or were rejected, and for how long. */
export type Trouble = { failures: number; rejections: number; ms: number }

/**
 * What follows a try. `retry`: the same event after `waitMs`; `give_up`: the event is skipped, or its lane waits, as the
 * endpoint says; `disable`: nothing is posted to the endpoint any more until it is enabled.
 */
export type Decision =
  | { kind: 'next' }
  | { kind: 'retry'; waitMs: number }
  | { kind: 'give_up' }
  | { kind: 'disable'; reason: string }

type Facts = {
  ending: Ending
  /** Of the event, this try included. */
  trouble: Trouble
  /** For how long no answer has shown that the endpoint works. */
  endpointFailingMs: number
  /** What `Retry-After` asks for. */
  pauseMs: number
  /** From 0 to 1; spreads the tries of many lanes. */
  random: number
}

/**
 * Decides what follows a try. An endpoint that has failed for three days is disabled; an event that fails for three days
 * while others are delivered is given up like one that was rejected ten times.
 */
export function decide({ ending, trouble, endpointFailingMs, pauseMs, random }: Facts): Decision {
  const verdict = judge(ending)
  if (verdict === 'delivered') return { kind: 'next' }
  if (verdict === 'gone') return { kind: 'disable', reason: 'the endpoint answered 410 Gone' }
  if (verdict === 'rejected') {
    if (trouble.rejections >= REJECTION_TRIES) return { kind: 'give_up' }
    return { kind: 'retry', waitMs: waitOf(REJECTION_WAITS, trouble.rejections, random) }
  }
  if (endpointFailingMs >= MAX_FAILING_MS)
    return { kind: 'disable', reason: `failing for three days; the last try: ${reasonOf(ending)}` }
  if (trouble.ms >= MAX_FAILING_MS) return { kind: 'give_up' }
  return { kind: 'retry', waitMs: Math.max(pauseMs, waitOf(FAILURE_WAITS, trouble.failures, random)) }
}

function waitOf(waits: number[], tries: number, random: number): number {
  const wait = waits.slice(0, Math.max(tries, 1)).reduce((_, next) => next, 0)
  return Math.round(wait * (1 + JITTER * random))
}

/** How long `Retry-After` asks to wait, in seconds or as a date: at most a day; 0 without one. */
export function pauseOf(ending: Ending, now: Date): number {
  if (ending.status === undefined || ending.retryAfter === undefined) return 0
  const { retryAfter } = ending
  const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * SECOND : Date.parse(retryAfter) - now.getTime()
  return Math.min(Math.max(ms || 0, 0), DAY)
}
