import { eq, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { type Org, orgs } from '../db/schema/index.ts'
import { ApiError } from '../errors.ts'

/**
 * The org in the address of a change, and the database's clock.
 * @throws ApiError NOT_FOUND or ORG_IS_BEING_DELETED
 */
export async function readOrg(db: Db, id: string): Promise<{ org: Org; now: Date }> {
  const now = sql`clock_timestamp()`.mapWith(orgs.createdAt)
  const [found] = await db.select({ org: orgs, now }).from(orgs).where(eq(orgs.id, id))
  if (!found) throw new ApiError('NOT_FOUND')
  if (found.org.deletingAt) throw new ApiError('ORG_IS_BEING_DELETED')
  return found
}
