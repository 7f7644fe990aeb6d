import { comparePlaces, type Place } from './place.ts'

/** The lanes of an endpoint: the events of a customer are all in one, in order. */
export const LANES = 32

/** The number of the lane that posts the events of a period once more; no other lane has it. */
export const REPLAY_LANE = 1_000

/** So many events of a lane are taken at a time. */
export const EVENTS_OF_LANE = 64

/** A lane that is not at the head. `isFree`: it is due, nobody works on it, and it does not wait for people. */
export type LaneRow = Place & { lane: number; isFree: boolean; isLeased: boolean }

/** An endpoint and its lanes, as a taker has read them under the endpoint's lock. */
export type Standing = { head: Place; rows: LaneRow[] }

/** A lane that may be taken, and where it stands. */
export type Candidate = Place & { lane: number }

/** The lanes that may be taken now, the one that is furthest behind first: the free ones, and all that are at the head. */
export function candidatesOf({ head, rows }: Standing): Candidate[] {
  const free = rows.filter(({ isFree }) => isFree)
  const behind = new Set(rows.map(({ lane }) => lane))
  const { position, seq, at } = head
  const candidates: Candidate[] = free.toSorted(comparePlaces)
  for (let lane = 0; lane < LANES; lane += 1)
    if (!behind.has(lane)) candidates.push({ position, seq, at, lane })
  return candidates
}

/** How many lanes may be taken, of `slots`. While an endpoint fails, one lane at a time tries it. */
export function slotsFor({ rows }: Standing, isFailing: boolean, slots: number): number {
  const triers = rows.some(({ isLeased }) => isLeased) ? 0 : 1
  return isFailing ? Math.min(slots, triers) : slots
}

/** A lane's events on a page. Of a lane that is not `isRead`, only the first one, which may not be posted. */
export type Share<E> = { lane: number; events: E[]; isRead: boolean }

/** The end of what these candidates may read: undefined is the end of the log. Lanes that are behind go up to the head. */
export function boundOf({ head, rows }: Standing, candidates: Candidate[]): Place | undefined {
  return hasFront(candidates, rows) ? undefined : head
}

/**
 * What a taker writes after it has read a page of the log.
 * `taken`: these lanes are leased, their events are posted, and the lane stands at `upTo` then;
 * `waiting`: lanes that are behind from now on, and free: those at the head that have events too, which were not read or had
 * no slot, and those behind that have no event up to the end of the page, where they stand now;
 * `risen`: lanes that were behind and have no event up to the head, where they stand now;
 * `head`: where lanes without a row stand from now on. No lane is ever beyond it.
 */
export type Plan<E> = {
  taken: (Candidate & { events: E[]; upTo: Place })[]
  waiting: Candidate[]
  risen: number[]
  head: Place
  /** There may be more to take at once. */
  isMore: boolean
}

/** The candidates' events from the first of them on, up to `end`; `isEnd`: there is nothing more up to their bound. */
export type Page<E> = { end: Place; isEnd: boolean; shares: Share<E>[] }

/** Plans what becomes of a page. `slots`: how many lanes may be taken. */
export function planLanes<E extends Place>(
  { head, rows }: Standing,
  candidates: Candidate[],
  { end, isEnd, shares }: Page<E>,
  slots: number,
): Plan<E> {
  const behind = new Set(rows.map(({ lane }) => lane))
  const active = new Set(shares.map(({ lane }) => lane))
  const reached = candidates.filter(
    (one) => (active.has(one.lane) || behind.has(one.lane)) && comparePlaces(one, end) < 0,
  )
  const withEvents = reached.filter(({ lane }) => active.has(lane))
  const read = new Map(shares.flatMap(({ lane, events, isRead }) => (isRead ? [[lane, events]] : [])))
  const taken = withEvents
    .flatMap((candidate) => {
      const events = read.get(candidate.lane)
      return events ? [{ ...candidate, events, upTo: endOf(events, end) }] : []
    })
    .slice(0, slots)
  const takenLanes = new Set(taken.map(({ lane }) => lane))
  const idle = reached.filter(({ lane }) => behind.has(lane) && !active.has(lane))
  const left = withEvents.filter(({ lane }) => !takenLanes.has(lane) && !behind.has(lane))
  const isAtHead = comparePlaces(end, head) >= 0
  return {
    taken,
    waiting: isAtHead ? left : [...left, ...idle.map(({ lane }) => ({ ...end, lane }))],
    risen: isAtHead ? idle.map(({ lane }) => lane) : [],
    head: isAtHead && hasFront(candidates, rows) ? end : head,
    isMore: !isEnd || withEvents.length > taken.length,
  }
}

/** A lane that has as many events as it may take at once may have more of them on the page. */
function endOf(events: readonly Place[], end: Place): Place {
  const [last] = events.slice(EVENTS_OF_LANE - 1)
  return last ?? end
}

function hasFront(candidates: Candidate[], rows: LaneRow[]): boolean {
  return candidates.some(({ lane }) => !rows.some((row) => row.lane === lane))
}
