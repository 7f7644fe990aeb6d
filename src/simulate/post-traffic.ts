import { setTimeout as sleep } from 'node:timers/promises'
import { sign } from '../http/signature.ts'
import type { Delivery } from './traffic.ts'

export type Load = {
  /** The URL of the webhook. */
  url: string
  secret: string
  /** Deliveries per second. */
  rate: number
  seconds: number
  next: () => Delivery
  /** Called after each answer. */
  onAnswer: () => void
  /** Ends the load early. */
  signal: AbortSignal
}

export type Posted = {
  deliveries: number
  messages: number
  statuses: number
  redelivered: number
  /** The number of answers by HTTP status; requests without an answer by the reason, as `none: <reason>`. */
  answers: Map<string, number>
  /** Milliseconds from the start of a request to the end of its answer, ascending. */
  times: number[]
}

/** More open requests would measure the machine that sends them. At this limit the rate falls. */
const MAX_OPEN = 500
const DEADLINE_MS = 30_000

/** Posts signed deliveries at a steady rate without waiting for the answers. Resolves when all are answered or failed. */
export async function postTraffic(load: Load): Promise<Posted> {
  const posted: Posted = {
    deliveries: 0,
    messages: 0,
    statuses: 0,
    redelivered: 0,
    answers: new Map(),
    times: [],
  }
  const open = new Set<Promise<void>>()
  const start = performance.now()
  const total = Math.round(load.rate * load.seconds)
  for (let i = 0; i < total && !load.signal.aborted; i++) {
    const early = start + (i * 1_000) / load.rate - performance.now()
    if (early > 1) await sleep(early, undefined, { signal: load.signal }).catch(() => undefined)
    if (open.size >= MAX_OPEN) await Promise.race(open)
    if (load.signal.aborted) break
    const delivery = load.next()
    count(posted, delivery)
    const answered: Promise<void> = postOne(load, delivery, posted).finally(() => open.delete(answered))
    open.add(answered)
  }
  await Promise.all(open)
  posted.times.sort((a, b) => a - b)
  return posted
}

/** The time in milliseconds within which the given share of the answers arrived; undefined without answers. */
export function percentile({ times }: Posted, share: number): number | undefined {
  return times[Math.min(times.length - 1, Math.floor(times.length * share))]
}

function count(posted: Posted, delivery: Delivery): void {
  posted.deliveries += 1
  posted.messages += delivery.messages
  posted.statuses += delivery.statuses
  if (delivery.isRedelivery) posted.redelivered += 1
}

async function postOne({ url, secret, onAnswer }: Load, { body }: Delivery, posted: Posted): Promise<void> {
  const headers = { 'content-type': 'application/json', 'x-hub-signature-256': sign(body, secret) }
  const asked = performance.now()
  let answer: string
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS)
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal })
    await response.arrayBuffer()
    answer = String(response.status)
    posted.times.push(performance.now() - asked)
  } catch (error) {
    answer = `none: ${reason(error)}`
  }
  posted.answers.set(answer, (posted.answers.get(answer) ?? 0) + 1)
  onAnswer()
}

/** The error code of the socket; `fetch` has it in a cause of its error. */
function reason(error: unknown): string {
  for (let e = error; e instanceof Error; e = e.cause) {
    const { code } = e as Error & { code?: unknown }
    if (typeof code === 'string') return code
  }
  return error instanceof Error ? error.name : 'unknown'
}
