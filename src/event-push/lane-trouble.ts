import { run } from '../db/statement.ts'
import { decide, judge, pauseOf, reasonOf, type Trouble, type Verdict } from './decide.ts'
import { disableEndpoint, noteFailure } from './health.ts'
import { type Next, type PushParts, record, recordPassed, showWorks, untilDone } from './lane-steps.ts'
import type { Posted } from './post-event.ts'
import type { LaneEvent } from './read-lane-pages.ts'
import { noteSkip } from './skip-event.ts'
import type { TakenLane } from './take-lanes.ts'

/** Records a try that did not deliver its event, and what follows from it. */
export async function recordTrouble(
  parts: PushParts,
  lane: TakenLane,
  event: LaneEvent,
  posted: Posted,
): Promise<Next> {
  const trouble = addTo(lane.trouble, judge(posted))
  const pauseMs = pauseOf(posted, new Date(lane.clockMs + performance.now()))
  const endpointFailingMs = await noteHealth(parts, lane, posted, pauseMs)
  const tried = { ending: posted, trouble, endpointFailingMs, pauseMs, random: Math.random() }
  const decision = decide(tried)
  if (decision.kind === 'give_up') return giveUp(parts, lane, event, trouble, reasonOf(posted))
  if (decision.kind === 'disable') {
    const { reason } = decision
    await untilDone(lane, async () => {
      if (await disableEndpoint(parts.db, lane, reason)) parts.onDisabled(lane, reason)
    })
  }
  const waitMs = decision.kind === 'retry' ? decision.waitMs : 0
  await record(parts, lane, lane.place, trouble, { step: 'waits', waitMs })
  return lane.isMore ? 'ends_with_more' : 'ends'
}

function addTo({ failures, rejections, ms }: Trouble, verdict: Verdict): Trouble {
  const isRejection = verdict === 'rejected'
  return { failures: failures + (isRejection ? 0 : 1), rejections: rejections + (isRejection ? 1 : 0), ms }
}

/** An answer that rejects an event shows that the endpoint works. Gives for how long the endpoint has been failing. */
async function noteHealth(
  parts: PushParts,
  lane: TakenLane,
  posted: Posted,
  pauseMs: number,
): Promise<number> {
  if (judge(posted) === 'rejected') {
    if (lane.target.isFailing) await showWorks(parts, lane)
    return 0
  }
  lane.target.isFailing = true
  return (await untilDone(lane, () => run(parts.db, noteFailure(lane, pauseMs)))) ?? 0
}

async function giveUp(
  parts: PushParts,
  lane: TakenLane,
  event: LaneEvent,
  trouble: Trouble,
  reason: string,
): Promise<Next> {
  if (lane.target.isFailing) await showWorks(parts, lane)
  if (lane.target.onRejection === 'wait') {
    await record(parts, lane, lane.place, trouble, { step: 'held' })
    return lane.isMore ? 'ends_with_more' : 'ends'
  }
  await untilDone(lane, () => run(parts.db, noteSkip(lane, event, reason)))
  return recordPassed(parts, lane, event)
}
