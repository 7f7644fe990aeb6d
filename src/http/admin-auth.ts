import { createHash } from 'node:crypto'
import type { JWTPayload } from 'jose'
import { z } from 'zod'
import type { Config } from '../config.ts'
import { ApiError, TokenRefusedError } from '../errors.ts'
import { foreignId } from '../input-fields.ts'
import type { Logger } from '../logger.ts'
import { oncePerMinute } from '../once-per-minute.ts'
import { wordsMatch } from './signature.ts'
import { createVerify } from './verify-token.ts'

/** Who provisions, as the audit names it, and the orgs that they may provision; undefined: all. */
export type Admin = { actor: string; orgs: readonly string[] | undefined }

/**
 * Returns who a header `Authorization: Bearer …` identifies.
 * @throws ApiError UNAUTHORIZED, TOKEN_EXPIRED, KEYS_UNAVAILABLE, or FORBIDDEN for a valid JWT of another role
 */
export type AuthenticateAdmin = (authorization: string) => Promise<Admin>

const BEARER = /^Bearer +(\S+)$/i
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/
const name = foreignId.regex(/^\P{Cc}+$/u)
const claims = z.object({
  sub: name,
  org_id: name.optional(),
  org_ids: z.array(name).min(1).max(1000).optional(),
  act: z.never().optional(),
  partner_id: z.never().optional(),
})

/**
 * Authenticates by one of the tokens of ADMIN_TOKEN, or by a JWT of the role OPERATOR, verified as the API's tokens are. A JWT
 * with `org_id` or `org_ids` may provision these orgs only. Without tokens and keys everything is refused.
 */
export function createAdminAuth(
  tokens: readonly string[],
  jwt: Config['jwt'],
  log: Logger,
): AuthenticateAdmin {
  const verify = createVerify(jwt, log)
  const countRefusal = oncePerMinute((reason: string, refused) =>
    log.warn({ reason, refused }, 'requests to the provisioning API were refused for their token'),
  )
  return async (authorization) => {
    const given = BEARER.exec(authorization)?.[1] ?? ''
    const known = tokens.filter((token) => wordsMatch(token, given))
    if (known[0] !== undefined) return { actor: `admin:${fingerprint(known[0])}`, orgs: undefined }
    try {
      if (!JWT.test(given)) throw new TokenRefusedError('the token is not one of ADMIN_TOKEN, and no JWT')
      return toAdmin(await verify(given))
    } catch (error) {
      if (error instanceof TokenRefusedError) countRefusal(error.reason)
      throw error
    }
  }
}

/** Tells several tokens apart in the audit; nobody can find a token of 32 characters by it. */
function fingerprint(token: string): string {
  return createHash('sha256').update(token).digest('hex').slice(0, 8)
}

function toAdmin(payload: JWTPayload): Admin {
  if (payload.role !== 'OPERATOR')
    throw new ApiError('FORBIDDEN', 'This needs ADMIN_TOKEN, or a token of the role OPERATOR.')
  const parsed = claims.safeParse(payload)
  if (!parsed.success) throw new TokenRefusedError('a claim of the OPERATOR is not valid')
  const { sub, org_id, org_ids } = parsed.data
  return { actor: `operator:${sub}`, orgs: org_id === undefined ? org_ids : [org_id] }
}
