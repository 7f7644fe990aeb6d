import { createHash } from 'node:crypto'
import type { PostedStatus } from '../checks/check-statuses.ts'
import type { PostedMessage } from '../checks/evidence.ts'
import type { LoadDelivery } from './writer.ts'

/** What the load source did and which answers it got; the checks compare it with the database. */
export type LoadLog = {
  messages: ReadonlyMap<string, PostedMessage>
  statuses: PostedStatus[]
  /** Poisoned deliveries by `digestOf` their bodies; true once one was answered with 200. */
  poisoned: Map<string, boolean>
  /** The answers to forged deliveries that were not refused with 401. */
  forgedLetIn: string[]
  figures: LoadFigures
}

export type LoadFigures = {
  /** Deliveries written, POSTs made of them, and POSTs answered with 200. */
  deliveries: number
  posts: number
  acked: number
  /** POSTs by answer: an HTTP status, or `none`. */
  answers: Record<string, number>
  answerMs: number[]
}

export function createLoadLog(messages: LoadLog['messages']): LoadLog {
  const figures = { deliveries: 0, posts: 0, acked: 0, answers: {}, answerMs: [] }
  return { messages, statuses: [], poisoned: new Map(), forgedLetIn: [], figures }
}

/** Notes the answer to one POST; undefined: there was none. */
export function noteAnswer({ figures }: LoadLog, status: number | undefined, ms: number): void {
  const answer = String(status ?? 'none')
  figures.answers[answer] = (figures.answers[answer] ?? 0) + 1
  if (status !== undefined) figures.answerMs.push(ms)
}

/** Notes that a delivery, signed with Usher's secret, was answered with 200. */
export function noteAcknowledged(log: LoadLog, delivery: LoadDelivery): void {
  log.figures.acked += 1
  for (const { message, ghost } of delivery.items) {
    if (ghost) {
      message.ghostAcked = true
    } else {
      message.acked = true
      message.ackedAt ??= Date.now()
    }
  }
  if (delivery.poisoned) log.poisoned.set(digestOf(delivery.body), true)
}

/** Identifies a delivery by its bytes, which the inbox keeps as they are. */
export function digestOf(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex')
}
