import { setTimeout as sleep } from 'node:timers/promises'
import type { Lab } from '../lab/lab.ts'
import { type Random, seededRandom } from '../random.ts'
import type { Fault, FaultLimits, Target } from './fault.ts'
import { faultKinds } from './fault-kinds.ts'
import { timeToRecover } from './recovery.ts'

/** How often a kind of fault happened, and the slowest recovery from it; 0: not measured, Infinity: not in time. */
export type FaultFigures = { times: number; slowestMs: number }

export type ScheduleOptions = {
  seconds: number
  /** A fault begins so often, in seconds; later when Usher has not recovered from the one before. */
  every: number
  limits: FaultLimits
  /** Only kinds of fault whose names contain this. */
  only?: string
}

/** A recovery that takes longer counts as none. */
export const RECOVERS_WITHIN_MS = 60_000

/** Lets random faults happen to an installation. Which, and in which order, follows from the seed of the lab. */
export class FaultSchedule {
  readonly figures = new Map<string, FaultFigures>()
  readonly #lab: Lab
  readonly #options: ScheduleOptions
  readonly #random: Random
  readonly #busy = new Set<Target>()
  #begun = 0
  #bag: Fault[] = []

  constructor(lab: Lab, options: ScheduleOptions) {
    this.#lab = lab
    this.#options = options
    this.#random = seededRandom(lab.seed + 3)
  }

  /** How many faults have begun. */
  get begun(): number {
    return this.#begun
  }

  /** Lets faults happen one after another, but beside those that linger; resolves when all are over. */
  async run(): Promise<void> {
    const { seconds, every } = this.#options
    const lingering = new Set<Promise<unknown>>()
    for (const end = Date.now() + seconds * 1_000; Date.now() < end; ) {
      const slot = sleep(every * 1_000)
      const fault = this.#draw()
      const over = fault ? this.#happen(fault) : Promise.resolve()
      if (fault?.lingers) lingering.add(over)
      else await over
      await slot
    }
    await Promise.all(lingering)
  }

  /** A kind of fault whose targets are whole now; each kind once before any comes again. */
  #draw(): Fault | undefined {
    const { limits, only = '' } = this.#options
    if (this.#bag.length === 0) {
      const kinds = faultKinds(this.#lab, limits).filter(({ kind }) => kind.includes(only))
      this.#bag = this.#random.shuffled(kinds)
    }
    const at = this.#bag.findIndex(({ targets }) => targets.every((target) => !this.#busy.has(target)))
    return at === -1 ? undefined : this.#bag.splice(at, 1)[0]
  }

  /** Lets one fault happen, and measures the recovery from it. */
  async #happen(fault: Fault): Promise<void> {
    const figures = this.figures.get(fault.kind) ?? { times: 0, slowestMs: 0 }
    this.figures.set(fault.kind, figures)
    figures.times += 1
    this.#begun += 1
    for (const target of fault.targets) this.#busy.add(target)
    let recovery = Promise.resolve()
    try {
      await fault.run(this.#lab, this.#random, () => {
        recovery = this.#measure(figures)
      })
    } finally {
      for (const target of fault.targets) this.#busy.delete(target)
    }
    await recovery
  }

  /** The recovery from a lingering fault is not measured when another fault began meanwhile: it may be the cause. */
  async #measure(figures: FaultFigures): Promise<void> {
    const begun = this.#begun
    const ms = await timeToRecover(this.#lab, RECOVERS_WITHIN_MS)
    if (this.#begun === begun) figures.slowestMs = Math.max(figures.slowestMs, ms)
  }
}
