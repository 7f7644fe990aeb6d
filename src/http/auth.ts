import {
  createRemoteJWKSet,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose'
import { z } from 'zod'
import type { Config } from '../config.ts'
import { ApiError } from '../errors.ts'
import { foreignId } from '../input-fields.ts'
import { type Caller, ROLES } from './caller.ts'
import type { Policy } from './endpoint.ts'

/**
 * The caller a header `Authorization: Bearer <JWT>` speaks for.
 * @throws ApiError UNAUTHORIZED or TOKEN_EXPIRED; never says what was wrong with a token.
 */
export type Authenticate = (authorization: string | undefined) => Promise<Caller>

const CLOCK_TOLERANCE_SECONDS = 5
const JWKS_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
]
const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i

/** A name that ends up in `events.actor` or in a query: printable, bounded. */
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
 * Verifies tokens by the configured secrets (HS256, each is tried, so they can be rotated) or JWKS (asymmetric
 * algorithms only); `exp` and `sub` are required. With neither configured every token is refused.
 */
export function createAuthenticate(jwt: Config['jwt']): Authenticate {
  const verify = createVerify(jwt)
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

/**
 * Lets a caller pass whom the endpoint's policy admits to this org.
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

type Verify = (token: string) => Promise<JWTPayload>

function createVerify({ secrets, jwksUrl, issuer, audience }: Config['jwt']): Verify {
  const options = {
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    requiredClaims: ['exp', 'sub'],
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
  }
  if (jwksUrl !== undefined) {
    const keys = createRemoteJWKSet(new URL(jwksUrl))
    return (token) => verifyBy(keys, token, { ...options, algorithms: JWKS_ALGORITHMS })
  }
  const keys = secrets.map((secret) => new TextEncoder().encode(secret))
  return (token) => verifyBySome(keys, token, { ...options, algorithms: ['HS256'] })
}

/** The current secret first, then the previous ones: what one cannot verify, another may. */
async function verifyBySome(
  keys: Uint8Array[],
  token: string,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  const [key, ...others] = keys
  if (key === undefined) throw new ApiError('UNAUTHORIZED')
  try {
    return await verifyBy(() => key, token, options)
  } catch (error) {
    if (error instanceof ApiError && error.error === 'UNAUTHORIZED')
      return verifyBySome(others, token, options)
    throw error
  }
}

/** @throws ApiError for what is wrong with the token; whatever keeps the JWKS from being read is passed on. */
async function verifyBy(key: JWTVerifyGetKey, token: string, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, key, options)).payload
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw new ApiError('TOKEN_EXPIRED')
    if (isTokensFault(error)) throw new ApiError('UNAUTHORIZED')
    throw error
  }
}

function isTokensFault(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return false
  return !KEY_SET_FAULTS.includes(error.code)
}

const KEY_SET_FAULTS = [errors.JOSEError.code, errors.JWKSTimeout.code, errors.JWKSInvalid.code]
