const MINUTE_MS = 60_000

/**
 * Counts events by reason. The first event of a reason is reported at once, and the later ones together, once a minute
 * at most. So a flood of refused requests costs one log line a minute for each reason, and no event is left out.
 */
export function oncePerMinute<Reason extends string>(
  report: (reason: Reason, count: number) => void,
): (reason: Reason) => void {
  /** The events since the last report; a reason is in the map for as long as its minute lasts. */
  const counts = new Map<Reason, number>()

  function begin(reason: Reason, count: number): void {
    counts.set(reason, 0)
    setTimeout(() => end(reason), MINUTE_MS).unref()
    report(reason, count)
  }

  function end(reason: Reason): void {
    const count = counts.get(reason) ?? 0
    counts.delete(reason)
    if (count > 0) begin(reason, count)
  }

  return (reason) => {
    const count = counts.get(reason)
    if (count === undefined) begin(reason, 1)
    else counts.set(reason, count + 1)
  }
}
