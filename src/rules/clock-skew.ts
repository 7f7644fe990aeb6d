/** A clock beyond this difference is wrong: its process changes nothing, and its workers pause. */
const WRONG_SECONDS = 5

/** One reading of the database's clock. Times are in milliseconds. */
export type ClockReading = {
  /** The database's clock. */
  database: number
  /** This machine's clock when the answer came. */
  machine: number
  /** How long the question took. */
  tookMs: number
}

/**
 * How many seconds this machine's clock is ahead of the database's; a negative number means behind. The duration of the
 * question is not counted as a difference, so a slow answer never causes a false alarm.
 */
export function clockSkew({ database, machine, tookMs }: ClockReading): number {
  const halfway = tookMs / 2
  const ahead = machine - halfway - database
  return (Math.sign(ahead) * Math.max(0, Math.abs(ahead) - halfway)) / 1_000
}

/** Whether a clock differs by more than 5 s. */
export function isWrongClock(skewSeconds: number): boolean {
  return Math.abs(skewSeconds) > WRONG_SECONDS
}
