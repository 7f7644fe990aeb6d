import { ApiError } from '../errors.ts'
import type { Caller, Role } from './caller.ts'

/** Who may call an endpoint. An endpoint without a policy does not compile, and the router refuses it at start. */
export type Policy = { role: Role; impersonated: boolean; partner: boolean }

/**
 * Returns when the policy admits the caller to this org.
 * @throws ApiError FORBIDDEN
 */
export function authorize(caller: Caller, policy: Policy, orgId: string): void {
  const admitted =
    caller.orgIds.includes(orgId) &&
    (caller.role === 'ADMIN' || policy.role === 'MEMBER') &&
    (caller.actorId === undefined || policy.impersonated) &&
    (caller.partnerId === undefined || policy.partner)
  if (!admitted) throw new ApiError('FORBIDDEN')
}
