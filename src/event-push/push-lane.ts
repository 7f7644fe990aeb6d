import { toEvent } from '../event-feed/present.ts'
import { judge } from './decide.ts'
import { giveBack, type Next, type PushParts, recordPassed, showWorks } from './lane-steps.ts'
import { recordTrouble } from './lane-trouble.ts'
import type { Post, Posted } from './post-event.ts'
import type { LaneEvent } from './read-lane-pages.ts'
import { signedHeaders } from './sign.ts'
import type { TakenLane } from './take-lanes.ts'
import type { EndpointKey } from './target.ts'

/** Longer than a request may take: a request that is made must end before the lane may be another worker's. */
const MARGIN_MS = 20_000

/**
 * Posts the events of a lane, one after another: the next one only when the answer to the one before is recorded. Ends when
 * all are delivered, when one must wait, or when the lane is not this worker's any more.
 * @returns whether there may be more to take of the endpoint at once
 */
export async function pushLane(parts: PushParts, lane: TakenLane): Promise<boolean> {
  for (const event of lane.events) {
    await parts.mayPost()
    if (performance.now() > lane.leaseEnds - MARGIN_MS) break
    if (parts.isEnding()) return giveBack(parts, lane)
    const { posted, verdict } = await post(parts, lane, event)
    // The end of the process cuts connections, which says nothing about the endpoint.
    if (verdict === 'failed' && parts.isEnding()) return giveBack(parts, lane)
    const next =
      verdict === 'delivered'
        ? await recordDelivered(parts, lane, event)
        : await recordTrouble(parts, lane, event, posted)
    if (next !== 'goes_on') return next === 'ends_with_more'
  }
  return false
}

async function post(parts: PushParts, lane: TakenLane, event: LaneEvent) {
  const { url, secrets, includeContent } = lane.target
  const at = new Date(lane.clockMs + performance.now())
  const shown = toEvent(event.row, includeContent)
  const body = JSON.stringify(shown)
  const headers = {
    'content-type': 'application/json',
    'user-agent': parts.userAgent,
    ...signedHeaders({ id: shown.id, at, body, secrets }),
  }
  const posted = await postTraced(parts, { url, headers, body }, { ...lane, eventId: shown.id })
  const verdict = judge(posted)
  const ageMs = lane.clockMs + performance.now() - event.at.getTime()
  parts.onAttempt({ lane, event, posted, verdict, at, ageMs })
  return { posted, verdict }
}

/** A request that belongs to a trace is a span of it, and carries it on. */
function postTraced(
  { client, tracing }: PushParts,
  request: Post,
  { orgId, endpointId, eventId }: EndpointKey & { eventId: string },
): Promise<Posted> {
  if (tracing.carry() === '') return client.post(request)
  const ids = { 'usher.org_id': orgId, 'usher.endpoint_id': endpointId, 'usher.event_id': eventId }
  return tracing.traced('post event', ids, () =>
    client.post({ ...request, headers: { ...request.headers, traceparent: tracing.carry() } }),
  )
}

async function recordDelivered(parts: PushParts, lane: TakenLane, event: LaneEvent): Promise<Next> {
  if (lane.target.isFailing) await showWorks(parts, lane)
  return recordPassed(parts, lane, event)
}
