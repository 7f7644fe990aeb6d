export const DAY = 86_400_000

/** The time so many days before now, or before another time. */
export const ago = (days: number, from: Date | number = Date.now()): Date =>
  new Date(Number(from) - days * DAY)
