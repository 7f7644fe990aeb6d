/**
 * Lets the clock of a process be set wrong while it runs: SIGUSR2 sets it 31 days ahead and 31 days behind by turns,
 * SIGWINCH sets it right. Timers go on as they are.
 */
export const SETTABLE_CLOCK = `
  const RealDate = Date
  const MONTH_MS = 31 * 86_400_000
  let turn = -1
  let skewMs = 0
  const now = () => RealDate.now() + skewMs
  globalThis.Date = class Date extends RealDate {
    constructor(...args) { if (args.length === 0) super(now()); else super(...args) }
    static now() { return now() }
    static [Symbol.hasInstance](value) { return value instanceof RealDate }
  }
  process.on('SIGUSR2', () => { skewMs = MONTH_MS * (turn *= -1) })
  process.on('SIGWINCH', () => { skewMs = 0 })`

export const SKEW = 'SIGUSR2'
export const SET_RIGHT = 'SIGWINCH'

/** A token that is valid also by a clock that is 31 days ahead. */
export const LASTING_HOURS = '1000'
