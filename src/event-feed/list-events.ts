import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../db/client.ts'
import { run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import type { EventType } from '../event-log/types.ts'
import { type Cursor, encodeCursor, firstCursor } from './cursor.ts'
import { readOldestDay } from './keep-partitions.ts'
import { type ShownEvent, toEvent } from './present.ts'
import { MARGIN_MS, readEventPage } from './read-page.ts'

export type EventsRequest = {
  orgId: string
  /** Undefined: from the oldest event that is kept. */
  after: Cursor | undefined
  types: EventType[] | undefined
  limit: number
  /** How long to wait for an event if there is none. */
  waitSeconds: number
  includeContent: boolean
}

const POLL_MS = 500

/**
 * A page of the org's events, in the order of the log. Without an event it is read again until there is one, or the
 * wait is over.
 * @throws ApiError INVALID_INPUT for a cursor of another org, EVENTS_ARE_GONE for one that is older than the log, or from
 * before a dump was restored
 */
export async function listEvents(
  db: Db,
  { orgId, after = firstCursor(orgId), waitSeconds, includeContent, ...wanted }: EventsRequest,
): Promise<{ events: ShownEvent[]; next: string; has_more: boolean }> {
  if (after.orgId !== orgId) throw new ApiError('INVALID_INPUT', 'The cursor is of another org.')
  if (after.position !== '0') await refuseOld(db, after)
  const end = performance.now() + waitSeconds * 1_000
  let page = await readEventPage(db, after, wanted)
  while (page.events.length === 0 && page.isEnd && !page.isAhead && performance.now() + POLL_MS < end) {
    await sleep(POLL_MS)
    page = await readEventPage(db, page.next, wanted)
  }
  const { events, next, isEnd, isAhead } = page
  if (isAhead) throw gone(orgId)
  const shown = events.map((row) => toEvent(row, includeContent))
  return { events: shown, next: encodeCursor(next), has_more: !isEnd }
}

/** Events behind the cursor may be in partitions that are dropped, if its margin is older than the oldest partition. */
async function refuseOld(db: Db, { orgId, at }: Cursor): Promise<void> {
  const oldest = await run(db, readOldestDay(orgId))
  if (oldest && at.getTime() - MARGIN_MS < oldest.getTime()) throw gone(orgId)
}

function gone(orgId: string): ApiError {
  return new ApiError('EVENTS_ARE_GONE', undefined, { oldest: encodeCursor(firstCursor(orgId)) })
}
