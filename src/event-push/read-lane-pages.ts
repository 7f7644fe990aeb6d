import { over, type Statement } from '../db/statement.ts'
import { type EventRow, messagesSince } from '../event-feed/event-sql.ts'
import { MARGIN_MS } from '../event-feed/read-page.ts'
import type { EventType } from '../event-log/types.ts'
import { ASKED, type Asked, LANE_PAGES } from './lane-page-sql.ts'
import { firstOf, type Place } from './place.ts'
import { type Candidate, EVENTS_OF_LANE, LANES, type Page, type Share } from './plan-lanes.ts'

/** An event of a lane, with its place in the log. */
export type LaneEvent = Place & { row: EventRow }

export type LanePage = Page<LaneEvent> & {
  /** The candidates lie beyond all that this server has written, since a dump was restored or a standby took over. */
  isAhead: boolean
  /** The log has no event of any type between the candidates and their bound. */
  isEmpty: boolean
  /** There are events that cannot be read yet, because an older transaction is running. */
  isPending: boolean
}

/** So many rows of the log are looked at for the pages that are read together: as many as all lanes of two endpoints take. */
const SCANNED = 2 * LANES * EVENTS_OF_LANE

/** How many rows of the log are looked at for a page, when so many pages are read together. */
export function rowsOfPage(pages: number): number {
  return Math.ceil(SCANNED / Math.max(2, pages))
}

/** The page of an endpoint: the next events of its candidates, up to `bound`. The events of at most `lanes` of them are read. */
export type Wanted = {
  orgId: string
  candidates: Candidate[]
  types: EventType[] | null
  bound: Place | undefined
  lanes: number
}

type Row = Omit<EventRow, 'position'> & {
  nth: number
  position: string | null
  lane: number
  isRead: boolean
  horizon: number
  now: Date
  scanned: number
  pending: boolean
  lastPosition: number | null
  lastSeq: number
  lastAt: Date
}

/**
 * Reads a page for each endpoint, in one statement: the next events of all its candidates, from the first of them on and up to
 * a bound, in the order of the log. Older messages are still to be added. Opening the partitions costs PostgreSQL more than
 * reading a short page.
 */
export function readLanePages(wanted: Wanted[]): Statement<LanePage[]> {
  const limit = rowsOfPage(wanted.length)
  const asked = wanted.map(ask)
  const since = new Date(Math.min(...asked.map((one) => one.since.getTime())))
  return over(ASKED, asked, {
    name: 'read-lane-events',
    text: LANE_PAGES,
    values: [since, messagesSince(since), limit],
    read: (rows: Row[]) => {
      const byPage = wanted.map((): Row[] => [])
      for (const row of rows) byPage[row.nth - 1]?.push(row)
      return wanted.map((one, i) => toPage(byPage[i] ?? [], one, limit))
    },
  })
}

const NOWHERE: Place = { position: 0, seq: 0, at: new Date(0) }

function ask({ orgId, candidates, types, bound, lanes }: Wanted): Asked {
  const { position, seq, at } = firstOf(candidates) ?? NOWHERE
  const isOnePlace =
    candidates.length === LANES && candidates.every((one) => one.position === position && one.seq === seq)
  const byLane = isOnePlace ? null : new Map(candidates.map((candidate) => [candidate.lane, candidate]))
  const listOf = (name: 'position' | 'seq') =>
    byLane && arrayText(Array.from({ length: LANES }, (_, lane) => byLane.get(lane)?.[name] ?? null))
  return {
    ...{ orgId, lanes, position, seq, since: new Date(Math.max(0, at.getTime() - MARGIN_MS)) },
    ...{ untilPosition: bound?.position ?? null, untilSeq: bound?.seq ?? null },
    ...{ types: types && arrayText(types), positions: listOf('position'), seqs: listOf('seq') },
  }
}

/** The text of an array of numbers or of types of events, neither of which needs quotes. */
function arrayText(elements: (number | string | null)[]): string {
  return `{${elements.map((element) => element ?? 'null').join(',')}}`
}

function toPage(rows: Row[], { candidates, bound }: Wanted, limit: number): LanePage {
  const [first] = rows
  if (!first) throw new Error('the event log gave no horizon')
  const shares = new Map<number, Share<LaneEvent>>()
  for (const { lane, isRead, position, ...row } of rows) {
    if (position === null) continue
    const share = shares.get(lane) ?? { lane, events: [], isRead }
    const place = { position: Number(position), seq: Number(row.seq), at: row.at }
    share.events.push({ ...place, row: { ...row, position } })
    shares.set(lane, share)
  }
  const isEnd = first.scanned < limit
  const from = firstOf(candidates) ?? NOWHERE
  return {
    ...{ end: endOf(first, isEnd, bound), isEnd, shares: [...shares.values()] },
    isAhead: from.position > first.horizon,
    isEmpty: first.scanned === 0,
    isPending: first.pending,
  }
}

function endOf(
  { horizon, now, lastPosition, lastSeq, lastAt }: Row,
  isEnd: boolean,
  bound: Place | undefined,
): Place {
  if (isEnd || lastPosition === null) return bound ?? { position: horizon, seq: 0, at: now }
  return { position: lastPosition, seq: lastSeq, at: lastAt }
}
