import { LANES } from '../../src/event-push/plan-lanes.ts'
import type { Taken, TakenLane } from '../../src/event-push/take-lanes.ts'
import type { EndpointKey } from '../../src/event-push/target.ts'
import type { Tracing } from '../../src/tracing/tracing.ts'
import { createLine, takeOrWait, type Waiting } from './line.ts'

export type PushTurns = {
  /** These endpoints may have something due: looks at each as soon as it is their turn. */
  add(endpoints: EndpointKey[]): void
  /** Takes nothing more until `resume`. Lanes under way go on. */
  pause(): void
  resume(): void
  /** Resolves when the lanes under way have ended. */
  rest(): Promise<void>
}

type Parts = {
  /** Takes at most so many lanes of endpoints, and gives what it took of each. */
  take: (endpoints: EndpointKey[], slots: number) => Promise<Taken[]>
  /** Gives whether there may be more to take of the endpoint at once. Must not reject. */
  push: (lane: TakenLane) => Promise<boolean>
  /** Lanes that this process may have under way. */
  slots: number
  /** What is posted belongs to the trace in which its endpoint was added, however long it waits for its turn. */
  tracing: Pick<Tracing, 'carry' | 'follow'>
  onError: (error: unknown) => void
}

/** Takes that run at the same time: each needs a connection, and the connections are few. */
const TAKERS = 2
/** Endpoints of one take: a take of many costs little more than a take of one. */
const TOGETHER = 32
/** An endpoint of a take has so many slots or more: a take of one lane of each would read much for little. */
const SLOTS_EACH = 4
/** Lanes that end within this time are taken again together: one page of the log then serves all of them. */
const GATHER_MS = 40

/**
 * Takes lanes of endpoints by turns: a take gets at most half of the free slots, so one is left for the next, and an endpoint
 * waits behind all others after its turn. Begins paused.
 */
export function createPushTurns({ take, push, slots, tracing, onError }: Parts): PushTurns {
  const line = createLine(tracing)
  const underWay = new Set<Promise<void>>()
  const start = createStart({ push, tracing, underWay, add, onEnd: () => (free += 1) })
  let free = slots
  let takers = 0
  let isPaused = true

  function add(endpoints: EndpointKey[]): void {
    line.add(endpoints)
    while (canTake() && line.isWaiting()) track(underWay, turn())
  }
  const turn = () => {
    const most = Math.ceil(free / 2)
    const serve = (waiting: Waiting[]) => takeTurn(waiting, most)
    return line.serveFirst(Math.min(TOGETHER, Math.ceil(most / SLOTS_EACH)), serve).finally(() => add([]))
  }
  const canTake = () => !isPaused && takers < TAKERS && free > 0
  async function takeTurn(waiting: Waiting[], most: number): Promise<void> {
    const reserved = Math.min(most, LANES * waiting.length)
    free -= reserved
    takers += 1
    const endpoints = waiting.map(({ endpoint }) => endpoint)
    const all = await takeOrWait(() => take(endpoints, reserved), endpoints, { line, onError })
    takers -= 1
    free += reserved - all.reduce((sum, { lanes }) => sum + lanes.length, 0)
    for (const [i, one] of waiting.entries()) start(one, all[i])
  }
  const pause = (paused: boolean) => {
    isPaused = paused
    add([])
  }
  return { add, pause: () => pause(true), resume: () => pause(false), rest: () => rest(underWay) }
}

type StartParts = Pick<Parts, 'push' | 'tracing'> & {
  underWay: Set<Promise<void>>
  add: (endpoints: EndpointKey[]) => void
  onEnd: () => void
}

/** Starts to post the lanes that were taken of an endpoint, and has the endpoint looked at again when there is more. */
function createStart({ push, tracing, underWay, add, onEnd }: StartParts) {
  const gather = createGatherer((endpoints) => tracing.follow('', () => add(endpoints)))
  const comeBack = createComeBack(add)
  async function pushOne(lane: TakenLane): Promise<void> {
    const isMore = await push(lane)
    onEnd()
    if (isMore) gather(lane)
    else add([])
  }
  return ({ endpoint, trace }: Waiting, taken: Taken | undefined): void =>
    tracing.follow(trace, () => {
      for (const lane of taken?.lanes ?? []) track(underWay, pushOne(lane))
      if (taken?.isMore) add([endpoint])
      else comeBack(endpoint, taken?.isPending ?? false)
    })
}

function track(underWay: Set<Promise<void>>, work: Promise<void>): void {
  underWay.add(work)
  void work.finally(() => underWay.delete(work))
}

async function rest(underWay: Set<Promise<void>>): Promise<void> {
  while (underWay.size > 0) await Promise.all(underWay)
}

/** Passes on the endpoints that come within `GATHER_MS` together. */
function createGatherer(pass: (endpoints: EndpointKey[]) => void): (endpoint: EndpointKey) => void {
  let gathered: EndpointKey[] = []
  return (endpoint) => {
    gathered.push(endpoint)
    if (gathered.length > 1) return
    setTimeout(() => {
      const all = gathered
      gathered = []
      pass(all)
    }, GATHER_MS)
  }
}

/** Most transactions end within the first of these times; after the last one, an event waits for another to be announced. */
const COME_BACK_MS = [30, 60, 120, 240, 480]

/** Looks again, a few times, at endpoints that have events which cannot be read yet. */
function createComeBack(
  add: (endpoints: EndpointKey[]) => void,
): (endpoint: EndpointKey, isPending: boolean) => void {
  const tries = new Map<string, number>()
  return (endpoint, isPending) => {
    const tried = tries.get(endpoint.endpointId) ?? 0
    const wait = isPending ? COME_BACK_MS[tried] : undefined
    if (wait === undefined) return void tries.delete(endpoint.endpointId)
    tries.set(endpoint.endpointId, tried + 1)
    setTimeout(() => add([endpoint]), wait)
  }
}
