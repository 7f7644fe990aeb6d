import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../db/client.ts'
import { isTransient } from '../db/pg-errors.ts'
import { run } from '../db/statement.ts'
import type { Tracing } from '../tracing/tracing.ts'
import type { Trouble, Verdict } from './decide.ts'
import { noteWorks } from './health.ts'
import { LEFT_MS } from './lane-rows.ts'
import type { EventClient, Posted } from './post-event.ts'
import type { LaneEvent } from './read-lane-pages.ts'
import type { Progress, Standing } from './record-progress.ts'
import type { TakenLane } from './take-lanes.ts'

/** One try, for metrics and for the list of the last attempts. `at`: when it began; `ageMs`: since the event happened. */
export type Attempt = {
  lane: TakenLane
  event: LaneEvent
  posted: Posted
  verdict: Verdict
  at: Date
  ageMs: number
}

export type PushParts = {
  db: Db
  client: EventClient
  tracing: Pick<Tracing, 'traced' | 'carry'>
  userAgent: string
  record: (progress: Progress) => Promise<Standing>
  onAttempt: (attempt: Attempt) => void
  onDisabled: (lane: TakenLane, reason: string) => void
  /** Resolves when the next request may be made: posting yields to routing. */
  mayPost: () => Promise<void>
  /** The process ends: lanes are given back after the event that is being posted. */
  isEnding: () => boolean
}

/** Whether the lane goes on with its next event; if not, whether there may be more to take of the endpoint at once. */
export type Next = 'goes_on' | 'ends' | 'ends_with_more'

const NO_TROUBLE: Trouble = { failures: 0, rejections: 0, ms: 0 }

/** Gives a lane back as it is; its next event is due at once. */
export async function giveBack(parts: PushParts, lane: TakenLane): Promise<false> {
  await record(parts, lane, lane.place, lane.trouble, { step: 'waits' })
  return false
}

/** The lane passes an event. */
export async function recordPassed(parts: PushParts, lane: TakenLane, event: LaneEvent): Promise<Next> {
  const isLast = event === lane.events.at(-1)
  const place = isLast ? lane.upTo : event
  const standing = await record(parts, lane, place, NO_TROUBLE, { step: isLast ? 'ends' : 'goes_on' })
  lane.place = place
  lane.trouble = NO_TROUBLE
  if (standing === 'lost') return 'ends'
  if (!isLast) return 'goes_on'
  return standing === 'behind' || lane.isMore ? 'ends_with_more' : 'ends'
}

/** An answer has shown that the endpoint of a lane works: other lanes need not wait any more. */
export async function showWorks({ db }: PushParts, lane: TakenLane): Promise<void> {
  lane.target.isFailing = false
  lane.isMore = true
  await untilDone(lane, () => run(db, noteWorks(lane)))
}

/** Records where a lane stands. `lost`: it is not this worker's any more. */
export async function record(
  parts: PushParts,
  lane: TakenLane,
  place: Progress['place'],
  { failures, rejections }: Trouble,
  { step, waitMs = 0 }: Pick<Progress, 'step'> & { waitMs?: number },
): Promise<Standing> {
  const { orgId, endpointId, lane: number, leaseId } = lane
  const asked = performance.now()
  const of = { orgId, endpointId, lane: number, leaseId, place, step, waitMs, failures, rejections }
  const standing = await untilDone(lane, () => parts.record(of))
  lane.leaseEnds = Math.max(lane.leaseEnds, asked + LEFT_MS)
  return standing ?? 'lost'
}

const PAUSE_MS = 500

/** Tries while PostgreSQL cannot be reached and the lane is this worker's. Undefined: neither is so any more. */
export async function untilDone<T>(lane: TakenLane, work: () => Promise<T>): Promise<T | undefined> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isTransient(error)) throw error
      if (performance.now() > lane.leaseEnds) return undefined
      await sleep(PAUSE_MS)
    }
  }
}
