import { setTimeout as sleep } from 'node:timers/promises'
import type { Lab } from '../lab/lab.ts'
import type { Random } from '../random.ts'

/** What a fault hurts: no two faults hurt the same thing at once. */
export type Target = 'receivers' | 'workers' | 'postgres' | 'redis' | 'graph' | 'endpoints' | 'connections'

export type Fault = {
  kind: string
  targets: Target[]
  /** Other faults may begin while it lasts: it leaves enough alive for messages to be routed. */
  lingers?: boolean
  /**
   * Does the harm and heals it. It calls `ended` as soon as nothing is in the way any more (for a killed process:
   * when it is started again), and resolves when its targets may be hurt again.
   */
  run(lab: Lab, random: Random, ended: () => void): Promise<void>
}

export type FaultLimits = { longestFreezeMs: number; longestOutageMs: number }

export const SHORTEST_OUTAGE_MS = 200

type Timed = {
  kind: string
  target: Target
  lingers?: boolean
  begin(lab: Lab, random: Random): unknown
  end(lab: Lab): unknown
}

/** A fault that begins, lasts for a random time up to `longestMs`, and ends. */
export function timedFault(longestMs: number, { kind, target, lingers = false, begin, end }: Timed): Fault {
  return {
    kind,
    targets: [target],
    lingers,
    async run(lab, random, ended) {
      try {
        await begin(lab, random)
        await sleep(random.int(SHORTEST_OUTAGE_MS, longestMs))
      } finally {
        await end(lab)
        ended()
      }
    },
  }
}

/** A fault that is over as soon as it is done. */
export function instantFault(kind: string, target: Target, run: (lab: Lab) => Promise<unknown>): Fault {
  return {
    kind,
    targets: [target],
    async run(lab, _random, ended) {
      await run(lab)
      ended()
    },
  }
}
