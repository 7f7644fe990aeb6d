const KEPT = 10_000

/** Creates a function that gives whether an id is among the last 10,000 that it was given before. */
export function createRecentIds(): (id: string) => boolean {
  const ids = new Set<string>()
  return (id) => {
    const isKnown = ids.delete(id)
    ids.add(id)
    for (const oldest of ids) {
      if (ids.size <= KEPT) break
      ids.delete(oldest)
    }
    return isKnown
  }
}
