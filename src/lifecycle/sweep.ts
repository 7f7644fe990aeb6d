import type { Db } from '../db/client.ts'
import { addChanges, type Changes } from './changes.ts'
import { deactivateInactive } from './deactivate-inactive.ts'
import { expireOld } from './expire-old.ts'
import { type Purged, purge } from './purge.ts'

/**
 * Runs all lifecycle sweeps once: expiry first, which has priority over inactivity, then inactivity, then the purge.
 * @param at the time to judge by; undefined: the database's clock. The purge never takes a later time than that clock.
 * @throws what a batch throws; all batches before it stay
 */
export async function sweep(db: Db, at: Date | undefined): Promise<{ changes: Changes; purged: Purged }> {
  const expired = await expireOld(db, at)
  const deactivated = await deactivateInactive(db, at)
  return { changes: addChanges(expired, deactivated), purged: await purge(db, at) }
}
