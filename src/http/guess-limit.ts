export type GuessLimit = {
  /** Seconds until there may be another guess under this key; 0: there may be one now. */
  secondsLeft(key: string): number
  /** Counts a guess under the key, such as an address; returns how many there were in this minute. */
  count(key: string): number
  /** Takes one guess back, because it was right. */
  giveBack(key: string): void
}

const MINUTE_MS = 60_000
/** Keys that are remembered. Beyond it, the one that is remembered longest is forgotten. */
const MAX_KEYS = 10_000

type Guesses = { count: number; since: number }

/** Limits the guesses under a key to `max` in a minute, in this process. `now` is in ms. */
export function createGuessLimit(max: number, now: () => number = () => performance.now()): GuessLimit {
  const byKey = new Map<string, Guesses>()

  const current = (key: string): Guesses => {
    const known = byKey.get(key)
    return known && now() - known.since < MINUTE_MS ? known : { count: 0, since: now() }
  }
  return {
    secondsLeft(key) {
      const { count, since } = current(key)
      return count < max ? 0 : Math.ceil((since + MINUTE_MS - now()) / 1_000)
    },
    count(key) {
      const { count, since } = current(key)
      byKey.delete(key)
      byKey.set(key, { count: count + 1, since })
      const [oldest] = byKey.keys()
      if (byKey.size > MAX_KEYS && oldest !== undefined) byKey.delete(oldest)
      return count + 1
    },
    giveBack(key) {
      const known = byKey.get(key)
      if (known) known.count = Math.max(0, known.count - 1)
    },
  }
}
