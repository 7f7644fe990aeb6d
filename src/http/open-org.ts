import { eq, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { type Org, orgs } from '../db/schema/index.ts'
import { ApiError } from '../errors.ts'
import { clockSkew, isWrongClock } from '../rules/clock-skew.ts'
import { type Caller, usersOf } from './caller.ts'
import type { Endpoint } from './endpoint.ts'

/** The org of a request, and the database's clock, by which the request is decided. */
export type OpenedOrg = { org: Org; now: Date }

/**
 * Opens an org for a caller whom the policy admits. An org that does not exist is answered like one that the token does not cover, so that
 * callers cannot probe for orgs; so is a user who was removed from it, also as one who impersonates or is impersonated.
 * A request that changes something is refused while this machine's clock differs from
 * the database's by more than 5 s.
 * @param machineTime this machine's time in milliseconds
 * @throws ApiError FORBIDDEN, ORG_IS_BEING_DELETED or CLOCK_IS_WRONG
 */
export async function openOrg(
  db: Db,
  caller: Caller,
  endpoint: Endpoint,
  orgId: string,
  machineTime: () => number,
): Promise<OpenedOrg> {
  const asked = performance.now()
  const [found] = await db
    .select({
      org: orgs,
      now: sql`clock_timestamp()`.mapWith(orgs.createdAt),
      isGone: isGone(orgId, usersOf(caller)),
    })
    .from(orgs)
    .where(eq(orgs.id, orgId))
  if (!found || found.isGone) throw new ApiError('FORBIDDEN')
  if (found.org.deletingAt) throw new ApiError('ORG_IS_BEING_DELETED')
  const tookMs = performance.now() - asked
  const skew = clockSkew({ database: found.now.getTime(), machine: machineTime(), tookMs })
  if (endpoint.method !== 'get' && isWrongClock(skew)) throw new ApiError('CLOCK_IS_WRONG')
  return { org: found.org, now: found.now }
}

/** Whether one of these ids is a user who was removed from the org. */
function isGone(orgId: string, userIds: string[]) {
  return sql<boolean>`exists (select from users u where u.org_id = ${orgId}
    and u.id = any(${sql.param(userIds)}::text[]) and u.removed_at is not null)`
}
