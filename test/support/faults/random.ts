import { randomFrom } from '../figures.ts'

/** A source of chance that a seed replays. */
export type Random = {
  /** At least 0, less than 1. */
  next(): number
  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number
  chance(probability: number): boolean
  pick<T>(list: readonly T[]): T
  shuffled<T>(list: readonly T[]): T[]
}

/** Chance that follows from a seed: the same on every machine. */
export function seededRandom(seed: number): Random {
  const next = randomFrom(seed)
  const int = (low: number, high: number) => low + Math.floor(next() * (high - low + 1))
  return {
    next,
    int,
    chance: (probability) => next() < probability,
    pick: (list) => list[int(0, list.length - 1)]!,
    shuffled: (list) => {
      const copy = [...list]
      for (let i = copy.length - 1; i > 0; i -= 1) {
        const j = int(0, i)
        const moved = copy[i]!
        copy[i] = copy[j]!
        copy[j] = moved
      }
      return copy
    },
  }
}
