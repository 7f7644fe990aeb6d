import type { TroubledRow } from './lane-rows.ts'
import type { Place } from './place.ts'
import {
  type Candidate,
  candidatesOf,
  LANES,
  type Plan,
  planLanes,
  REPLAY_LANE,
  type Standing,
  slotsFor,
} from './plan-lanes.ts'
import type { LaneEvent, LanePage } from './read-lane-pages.ts'
import type { Target } from './target.ts'

/** An endpoint whose secrets this process can read. */
export type OpenTarget = Target & { secrets: string[] }

/** An endpoint as a taker finds it under its lock. */
export type Found = {
  target: OpenTarget
  standing: { head: Place; rows: TroubledRow[] }
  /** The lanes that may be taken; of these, `most` at a time. */
  candidates: Candidate[]
  most: number
  /** Its replay, if that may be taken. */
  replay: TroubledRow | undefined
}

/** `all`: lanes of this endpoint, and of others. */
export function findLanes(target: OpenTarget, all: TroubledRow[]): Found {
  const own = all.filter(({ endpointId }) => endpointId === target.endpointId)
  const rows = own.filter(({ lane }) => lane !== REPLAY_LANE)
  const standing = { head: target.head, rows }
  const candidates = candidatesOf(standing)
  const most = candidates.length === 0 ? 0 : slotsFor(standing, target.isFailing, LANES)
  return {
    target,
    standing,
    candidates,
    most,
    replay: own.find(({ lane, isFree }) => lane === REPLAY_LANE && isFree),
  }
}

/** No plan: there is nothing to do, or no slot was left. */
export type Planned = Found & { plan: Plan<LaneEvent> | undefined; isMore: boolean; isPending: boolean }

/** A head that nothing has moved for so long is renewed, so that few partitions of the log are looked at. */
const RENEW_MS = 600_000

/** Plans what becomes of the pages of endpoints. They share the slots, and the first ones get theirs first. */
export function planTake(found: { one: Found; page: LanePage | undefined }[], slots: number): Planned[] {
  let left = slots
  return found.map(({ one, page }) => {
    const plan = page && left > 0 ? planOf(one, page, Math.min(one.most, left)) : undefined
    const isMore = plan?.isMore ?? (left === 0 && page?.isEmpty === false)
    left -= plan?.taken.length ?? 0
    return { ...one, plan, isMore, isPending: page?.isPending ?? false }
  })
}

function planOf(
  { target, standing, candidates }: Found,
  page: LanePage,
  most: number,
): Plan<LaneEvent> | undefined {
  if (page.isAhead) return startAgain(page, standing)
  const plan = planLanes(standing, candidates, page, most)
  const isOld = target.now.getTime() - target.head.at.getTime() > RENEW_MS
  return page.isEmpty && plan.risen.length === 0 && !isOld ? undefined : plan
}

/** Places of another server mean nothing here: all lanes go on with what this one writes from now on. */
function startAgain({ end }: LanePage, { rows }: Standing): Plan<LaneEvent> {
  return { taken: [], waiting: [], risen: rows.map(({ lane }) => lane), head: end, isMore: false }
}
