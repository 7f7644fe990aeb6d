import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { comparePlaces, firstOf, type Place } from '../../src/event-push/place.ts'
import {
  boundOf,
  candidatesOf,
  EVENTS_OF_LANE,
  LANES,
  type LaneRow,
  type Page,
  planLanes,
  type Share,
  slotsFor,
} from '../../src/event-push/plan-lanes.ts'

const at = new Date(0)
const place = (position: number, seq = 0): Place => ({ position, seq, at })
const row = (lane: number, position: number, state: Partial<LaneRow> = {}): LaneRow => ({
  ...place(position),
  ...{ lane, isFree: true, isLeased: false },
  ...state,
})
const events = (...positions: number[]) => positions.map((position) => place(position, 1))
const page = (end: number, isEnd: boolean, shares: Share<Place>[] = []): Page<Place> => ({
  ...{ end: place(end), isEnd, shares },
})

describe('places', () => {
  it('are ordered by position, then by seq', () => {
    expect(comparePlaces(place(1, 9), place(2, 1))).toBeLessThan(0)
    expect(comparePlaces(place(2, 2), place(2, 1))).toBeGreaterThan(0)
    expect(comparePlaces(place(2, 2), place(2, 2))).toBe(0)
  })
  it('have a first one', () => {
    expect(firstOf([place(3), place(1, 2), place(1, 1)])).toEqual(place(1, 1))
    expect(firstOf([])).toBeUndefined()
  })
})

describe('the lanes that may be taken', () => {
  const rows = [row(3, 50), row(1, 20), row(2, 10, { isFree: false, isLeased: true })]
  const standing = { head: place(100), rows }

  it('are those that are free, the one furthest behind first, and all at the head', () => {
    const candidates = candidatesOf(standing)
    expect(candidates.map(({ lane }) => lane).slice(0, 2)).toEqual([1, 3])
    expect(candidates).toHaveLength(LANES - 1)
    expect(candidates.at(-1)).toEqual({ ...place(100), lane: LANES - 1 })
  })

  it('read to the end of the log, or to the head where none of them is there', () => {
    expect(boundOf(standing, candidatesOf(standing))).toBeUndefined()
    expect(boundOf(standing, [{ ...place(20), lane: 1 }])).toEqual(place(100))
  })

  it('are one at a time while the endpoint fails', () => {
    expect(slotsFor(standing, false, 8)).toBe(8)
    expect(slotsFor(standing, true, 8)).toBe(0)
    expect(slotsFor({ ...standing, rows: rows.slice(0, 2) }, true, 8)).toBe(1)
    expect(slotsFor({ ...standing, rows: rows.slice(0, 2) }, true, 0)).toBe(0)
  })
})

describe('the plan for a page', () => {
  it('takes the lanes that have events, and moves the head', () => {
    const standing = { head: place(10), rows: [] }
    const shares = [{ lane: 4, events: events(11, 15), isRead: true }]
    const plan = planLanes(standing, candidatesOf(standing), page(20, true, shares), 8)
    expect(plan).toEqual({
      taken: [{ ...place(10), lane: 4, events: events(11, 15), upTo: place(20) }],
      ...{ waiting: [], risen: [], head: place(20), isMore: false },
    })
  })

  it('lets lanes at the head wait where they are if there is no slot for them', () => {
    const standing = { head: place(10), rows: [] }
    const shares = [1, 2, 3].map((lane) => ({ lane, events: events(10 + lane), isRead: true }))
    const plan = planLanes(standing, candidatesOf(standing), page(20, true, shares), 1)
    expect(plan.taken.map(({ lane }) => lane)).toEqual([1])
    expect(plan.waiting).toEqual([2, 3].map((lane) => ({ ...place(10), lane })))
    expect(plan).toMatchObject({ head: place(20), isMore: true })
  })

  it('lets lanes whose events were not read wait where they are', () => {
    const standing = { head: place(10), rows: [row(7, 5)] }
    const shares = [7, 1, 2].map((lane) => ({ lane, events: events(10 + lane), isRead: lane === 1 }))
    const plan = planLanes(standing, candidatesOf(standing), page(20, true, shares), 8)
    expect(plan.taken.map(({ lane }) => lane)).toEqual([1])
    expect(plan.waiting).toEqual([{ ...place(10), lane: 2 }])
    expect(plan).toMatchObject({ risen: [], head: place(20), isMore: true })
  })

  it('goes up to the last event of a lane that has more of them than it takes at once', () => {
    const standing = { head: place(10), rows: [] }
    const many = events(...Array.from({ length: EVENTS_OF_LANE }, (_, i) => 11 + i))
    const plan = planLanes(
      standing,
      candidatesOf(standing),
      page(90, true, [{ lane: 0, events: many, isRead: true }]),
      8,
    )
    expect(plan.taken[0]?.upTo).toEqual(many.at(-1))
    expect(plan.head).toEqual(place(90))
  })

  it('leaves the head where it is if the page of a lane that is behind ends before it', () => {
    const standing = { head: place(100), rows: [row(1, 10), row(2, 20)] }
    const shares = [{ lane: 1, events: events(30), isRead: true }]
    const plan = planLanes(standing, candidatesOf(standing), page(50, false, shares), 8)
    expect(plan.taken).toMatchObject([{ lane: 1, upTo: place(50) }])
    expect(plan.waiting).toEqual([{ ...place(50), lane: 2 }])
    expect(plan).toMatchObject({ risen: [], head: place(100), isMore: true })
  })

  it('brings lanes without events to the head, and never moves the head for lanes behind it alone', () => {
    const rows = Array.from({ length: LANES }, (_, lane) => row(lane, 10, { isFree: lane < 2 }))
    const standing = { head: place(100), rows }
    const plan = planLanes(standing, candidatesOf(standing), page(100, true), 8)
    expect(plan).toEqual({ taken: [], waiting: [], risen: [0, 1], head: place(100), isMore: false })
  })
})

/** What workers do: take, post some of what they took, end or die, in any order. */
type Step = { slots: number; ends: number; dies: boolean; fails: boolean; adds: number }

/** A log whose events are in lanes, an endpoint, and what its receiver got. */
function createWorld(seed: number) {
  const log: (Place & { lane: number })[] = []
  const rows = new Map<number, LaneRow & { taken?: { events: Place[]; upTo: Place } }>()
  const got: (Place & { lane: number })[] = []
  let head = place(0)
  let next = seed
  const random = (n: number) => {
    next = (next * 1_103_515_245 + 12_345) % 2_147_483_648
    return next % n
  }
  const add = (count: number) => {
    for (let i = 0; i < count; i += 1) log.push({ ...place(log.length + 1, 1), lane: random(5) })
  }
  const readPage = (candidates: ReturnType<typeof candidatesOf>, bound: Place | undefined): Page<Place> => {
    const from = firstOf(candidates) ?? place(0)
    const limit = 7
    const below = log.filter((e) => comparePlaces(e, from) > 0 && (!bound || comparePlaces(e, bound) <= 0))
    const scanned = below.slice(0, limit)
    const isEnd = scanned.length < limit
    const end = isEnd ? (bound ?? place(log.length + 1)) : scanned.at(-1)!
    let unread = random(3)
    const shares = candidates.toReversed().flatMap((candidate) => {
      const mine = scanned.filter((e) => e.lane === candidate.lane && comparePlaces(e, candidate) > 0)
      if (mine.length === 0) return []
      const isRead = unread === 0 || candidate === candidates[0]
      if (!isRead) unread -= 1
      return [{ lane: candidate.lane, events: mine.slice(0, isRead ? EVENTS_OF_LANE : 1), isRead }]
    })
    return { end, isEnd, shares }
  }
  const take = (slots: number) => {
    const standing = { head, rows: [...rows.values()] }
    const candidates = candidatesOf(standing)
    if (candidates.length === 0) return
    const plan = planLanes(standing, candidates, readPage(candidates, boundOf(standing, candidates)), slots)
    for (const { lane, position, seq, events, upTo } of plan.taken)
      rows.set(lane, {
        ...row(lane, position, { seq, isFree: false, isLeased: true }),
        taken: { events, upTo },
      })
    for (const lane of plan.waiting) rows.set(lane.lane, row(lane.lane, lane.position, { seq: lane.seq }))
    for (const lane of plan.risen) rows.delete(lane)
    head = plan.head
    for (const one of rows.values()) expect(comparePlaces(one, head)).toBeLessThanOrEqual(0)
  }
  /** A worker posts the events of its lane, and ends, fails at one of them, or dies after it was posted. */
  const work = (lane: number, { dies, fails }: Pick<Step, 'dies' | 'fails'>) => {
    const mine = rows.get(lane)
    if (!mine?.taken) return
    const { events: all, upTo } = mine.taken
    const stop = dies || fails ? random(all.length) : all.length
    for (const event of all.slice(0, stop)) got.push({ ...event, lane })
    if (dies) got.push({ ...all[stop]!, lane })
    const last = stop === all.length ? upTo : (all[stop - 1] ?? mine)
    if (stop === all.length && comparePlaces(last, head) >= 0) rows.delete(lane)
    else rows.set(lane, row(lane, last.position, { seq: last.seq }))
  }
  const leased = () => [...rows.values()].filter(({ isLeased }) => isLeased).map(({ lane }) => lane)
  return { log, got, add, take, work, leased }
}

it('whatever workers do, every event is delivered, in order in its lane, and only what was in flight twice', () => {
  const step = fc.record({
    slots: fc.integer({ min: 1, max: 4 }),
    ends: fc.nat(3),
    dies: fc.boolean(),
    fails: fc.boolean(),
    adds: fc.nat(6),
  })
  fc.assert(
    fc.property(fc.nat(), fc.array(step, { maxLength: 60 }), (seed, steps) => {
      const { log, got, add, take, work, leased } = createWorld(seed)
      let deaths = 0
      for (const { slots, ends, adds, ...how } of steps) {
        add(adds)
        take(slots)
        const lane = leased()[ends]
        if (lane !== undefined) work(lane, how)
        if (lane !== undefined && how.dies) deaths += 1
      }
      for (let i = 0; i < log.length * 2 + 100; i += 1) {
        take(4)
        for (const lane of leased()) work(lane, { dies: false, fails: false })
      }
      for (let lane = 0; lane < 5; lane += 1) {
        const seen = new Set<number>()
        const fresh = got.filter((e) => e.lane === lane && !seen.has(e.position) && seen.add(e.position))
        expect(fresh.map((e) => e.position)).toEqual(
          log.filter((e) => e.lane === lane).map((e) => e.position),
        )
      }
      expect(got.length - log.length).toBeLessThanOrEqual(deaths)
    }),
    { numRuns: 60, seed: 20 },
  )
})
