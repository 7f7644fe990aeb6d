/** A place in the event log of an org: behind all events up to (position, seq). `at`: the time of the last one. */
export type Place = { position: number; seq: number; at: Date }

/** Negative if `a` is before `b`, 0 if both are the same place. */
export function comparePlaces(a: Omit<Place, 'at'>, b: Omit<Place, 'at'>): number {
  return a.position - b.position || a.seq - b.seq
}

/** The first of some places; undefined if there is none. */
export function firstOf<P extends Place>(places: readonly P[]): P | undefined {
  return places.reduce<P | undefined>(
    (first, place) => (first && comparePlaces(first, place) <= 0 ? first : place),
    undefined,
  )
}
