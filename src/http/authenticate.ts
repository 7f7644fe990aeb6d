import { z } from 'zod'
import type { Config } from '../config.ts'
import { ApiError } from '../errors.ts'
import { foreignId } from '../input-fields.ts'
import type { Logger } from '../logger.ts'
import { type Caller, ROLES } from './caller.ts'
import { createVerify } from './verify-token.ts'

/**
 * Returns the caller that a header `Authorization: Bearer <JWT>` identifies.
 * @throws ApiError UNAUTHORIZED, TOKEN_EXPIRED or KEYS_UNAVAILABLE. The error never says what is wrong with the token.
 */
export type Authenticate = (authorization: string | undefined) => Promise<Caller>

const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i

/** These names are written to `events.actor` and used in queries, so their length and characters are restricted. */
const name = foreignId.regex(/^\P{Cc}+$/u)
const claims = z
  .object({
    sub: name,
    role: z.enum(ROLES),
    org_id: name.optional(),
    partner_id: name.optional(),
    org_ids: z.array(name).min(1).max(1000).optional(),
    act: z.object({ sub: name }).optional(),
  })
  .refine((c) => (c.org_id === undefined) === (c.partner_id !== undefined && c.org_ids !== undefined))
  .refine((c) => (c.partner_id === undefined) === (c.org_ids === undefined))

/**
 * Authenticates callers by JWT. A token is verified with the configured secrets or JWKS (see `createVerify`), then its
 * claims are checked. Without a secret and without a JWKS every token is refused.
 */
export function createAuthenticate(jwt: Config['jwt'], log: Logger): Authenticate {
  const verify = createVerify(jwt, log)
  return async (authorization) => {
    const token = BEARER.exec(authorization ?? '')?.[1]
    if (token === undefined) throw new ApiError('UNAUTHORIZED')
    const parsed = claims.safeParse(await verify(token))
    if (!parsed.success) throw new ApiError('UNAUTHORIZED')
    const { sub, role, org_id, org_ids, partner_id, act } = parsed.data
    const orgIds = org_ids ?? (org_id === undefined ? [] : [org_id])
    return { userId: sub, role, orgIds, partnerId: partner_id, actorId: act?.sub }
  }
}
