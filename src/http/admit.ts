import type { Request, Response } from 'express'
import type { Caller } from './caller.ts'
import type { Endpoint } from './endpoint.ts'
import { type OpenedOrg, openOrg } from './open-org.ts'
import { authorize } from './policy.ts'
import type { ApiServices } from './services.ts'

/** A request that may be served: who sent it, and its org. */
export type Admitted = OpenedOrg & {
  caller: Caller
  /** Opens the org again, for work that goes on for long. */
  reopen: () => Promise<OpenedOrg>
}

/**
 * Authenticates and authorizes a request, counts it under the limits, and opens its org. Reads nothing of the request but
 * its token and its path.
 * @throws ApiError UNAUTHORIZED and others of `Authenticate`, FORBIDDEN, RATE_LIMITED, CLOCK_IS_WRONG
 */
export async function admit(
  endpoint: Endpoint,
  { db, authenticate, countRequest, machineTime }: ApiServices,
  req: Request,
  res: Response,
): Promise<Admitted> {
  const caller = await authenticate(req.headers.authorization)
  const orgId = String(req.params.orgId)
  authorize(caller, endpoint.policy, orgId)
  await countRequest({ endpoint, orgId, caller }, res)
  const reopen = () => openOrg(db, caller, endpoint, orgId, machineTime)
  return { ...(await reopen()), caller, reopen }
}
