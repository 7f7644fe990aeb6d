import type { Logger } from '../logger.ts'
import { oncePerSecond } from '../once-per-second.ts'

export type GuessLimit = {
  /** Seconds until the address may try again; 0: it may try now. */
  secondsLeft(address: string): number
  /** Counts a wrong password from the address, and logs it. */
  count(address: string): void
}

const MAX_GUESSES = 10
const MINUTE_MS = 60_000
/** Addresses that are remembered. Beyond it, the one that is remembered longest is forgotten. */
const MAX_ADDRESSES = 10_000

type Guesses = { count: number; since: number }

/** Limits the wrong passwords from an address to 10 in a minute, in this process. `now` is in ms. */
export function createGuessLimit(log: Logger, now: () => number = () => performance.now()): GuessLimit {
  const byAddress = new Map<string, Guesses>()
  const warn = oncePerSecond(log)

  const current = (address: string): Guesses => {
    const known = byAddress.get(address)
    return known && now() - known.since < MINUTE_MS ? known : { count: 0, since: now() }
  }
  return {
    secondsLeft(address) {
      const { count, since } = current(address)
      return count < MAX_GUESSES ? 0 : Math.ceil((since + MINUTE_MS - now()) / 1_000)
    },
    count(address) {
      const { count, since } = current(address)
      byAddress.delete(address)
      byAddress.set(address, { count: count + 1, since })
      const [oldest] = byAddress.keys()
      if (byAddress.size > MAX_ADDRESSES && oldest !== undefined) byAddress.delete(oldest)
      warn(undefined, 'a login with a wrong password was refused', { address, guesses: count + 1 })
    },
  }
}
