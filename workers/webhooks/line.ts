import { setTimeout as sleep } from 'node:timers/promises'
import type { Taken } from '../../src/event-push/take-lanes.ts'
import type { EndpointKey } from '../../src/event-push/target.ts'
import type { Tracing } from '../../src/tracing/tracing.ts'

/** An endpoint that waits for its turn, with the trace in which it was added. */
export type Waiting = { endpoint: EndpointKey; trace: string }

export type Line = {
  add(endpoints: EndpointKey[]): void
  isWaiting(): boolean
  /** The first ones leave the line, at most `most`, and are served at once. */
  serveFirst(most: number, serve: (waiting: Waiting[]) => Promise<void>): Promise<void>
  /** The last take of these endpoints failed, or did not. */
  note(endpoints: EndpointKey[], isFailure: boolean): void
}

/**
 * The endpoints that wait for their turn. An endpoint that is being served waits until that has ended: a second taker would
 * only wait for the lock of the first one, and then find the few lanes that have become free meanwhile, one page of the log
 * for each. An endpoint whose last take failed is served alone, so that one that fails every time delays no other.
 */
export function createLine({ carry }: Pick<Tracing, 'carry'>): Line {
  const line = new Map<string, Waiting>()
  const served = new Set<string>()
  const suspects = new Set<string>()
  const idOf = ({ endpoint }: Waiting) => endpoint.endpointId
  const listFree = () => [...line.values()].filter((waiting) => !served.has(idOf(waiting)))
  function chooseFirst(most: number): Waiting[] {
    const [first, ...others] = listFree()
    if (!first || suspects.has(idOf(first))) return first ? [first] : []
    return [first, ...others.filter((waiting) => !suspects.has(idOf(waiting)))].slice(0, most)
  }
  return {
    add(endpoints) {
      const trace = carry()
      for (const endpoint of endpoints) line.set(endpoint.endpointId, { endpoint, trace })
    },
    isWaiting: () => listFree().length > 0,
    async serveFirst(most, serve) {
      const chosen = chooseFirst(most)
      if (chosen.length === 0) return
      for (const id of chosen.map(idOf)) {
        line.delete(id)
        served.add(id)
      }
      await serve(chosen).finally(() => {
        for (const id of chosen.map(idOf)) served.delete(id)
      })
    },
    note(endpoints, isFailure) {
      for (const { endpointId } of endpoints) {
        if (isFailure) suspects.add(endpointId)
        else suspects.delete(endpointId)
      }
    },
  }
}

const RETRY_MS = 500
const TRY_AGAIN: Taken = { lanes: [], isMore: true, isPending: false, isSealed: false }

/** After a failure there is something to take of each endpoint, a little later. */
export async function takeOrWait(
  take: () => Promise<Taken[]>,
  endpoints: EndpointKey[],
  { line, onError }: { line: Pick<Line, 'note'>; onError: (error: unknown) => void },
): Promise<Taken[]> {
  try {
    const taken = await take()
    line.note(endpoints, false)
    return taken
  } catch (error) {
    onError(error)
    line.note(endpoints, true)
    await sleep(RETRY_MS)
    return endpoints.map(() => TRY_AGAIN)
  }
}
