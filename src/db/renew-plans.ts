/** A connection keeps its plans for so long. */
const KEPT_MS = 5_000

/**
 * Says for each transaction on a connection what it sets to work with kept plans, and lets the plans of a connection be made
 * anew every 5 s. Planning the statements of a batch costs PostgreSQL 18 ms, a third of its work for 200 messages
 * (docs/speed.md). But a kept plan fits the tables as they were when it was made: one made for an empty ledger read all
 * messages of an org for each that it looked up, until the next analyze, which may be a minute away.
 * `now`: a clock in milliseconds that never goes back.
 */
export function createRenewal(now = () => performance.now()): (connection: object) => string[] {
  const madeAt = new WeakMap<object, number>()
  return (connection) => {
    const made = madeAt.get(connection)
    if (made !== undefined && now() - made < KEPT_MS) return [KEPT]
    madeAt.set(connection, now())
    return [KEPT, 'discard plans']
  }
}

const KEPT = 'set local plan_cache_mode to force_generic_plan'
