import type { JWTPayload } from 'jose'
import { z } from 'zod'
import type { Config } from '../config.ts'
import { TokenRefusedError } from '../errors.ts'
import { foreignId } from '../input-fields.ts'
import type { Logger } from '../logger.ts'
import { oncePerMinute } from '../once-per-minute.ts'
import { type Caller, ROLES } from './caller.ts'
import { reasonOfClaims } from './refusal-reason.ts'
import { createVerify } from './verify-token.ts'

/**
 * Returns the caller that a header `Authorization: Bearer <JWT>` identifies.
 * @throws ApiError UNAUTHORIZED, TOKEN_EXPIRED or KEYS_UNAVAILABLE. The answer never says what is wrong with the token;
 * the log does.
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
 * claims are checked. Without a secret and without a JWKS every token is refused. The log has the reasons of refusals,
 * each once a minute at most, with a count.
 */
export function createAuthenticate(jwt: Config['jwt'], log: Logger): Authenticate {
  const verify = createVerify(jwt, log)
  const countRefusal = oncePerMinute((reason: string, refused) =>
    log.warn({ reason, refused }, 'requests to the API were refused for their token'),
  )
  return async (authorization) => {
    try {
      return toCaller(await verify(readToken(authorization)))
    } catch (error) {
      if (error instanceof TokenRefusedError) countRefusal(error.reason)
      throw error
    }
  }
}

function readToken(authorization: string | undefined): string {
  if (authorization === undefined) throw new TokenRefusedError('there is no Authorization header')
  const token = BEARER.exec(authorization)?.[1]
  if (token === undefined)
    throw new TokenRefusedError('the Authorization header is not `Bearer` and a JWT of three parts')
  return token
}

function toCaller(payload: JWTPayload): Caller {
  const parsed = claims.safeParse(payload)
  if (!parsed.success) throw new TokenRefusedError(reasonOfClaims(payload, parsed.error))
  const { sub, role, org_id, org_ids, partner_id, act } = parsed.data
  const orgIds = org_ids ?? (org_id === undefined ? [] : [org_id])
  return { userId: sub, role, orgIds, partnerId: partner_id, actorId: act?.sub }
}
