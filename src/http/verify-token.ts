import { errors, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose'
import type { Config } from '../config.ts'
import { TokenRefusedError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { reasonOfVerification } from './refusal-reason.ts'
import { createRemoteKeys } from './remote-keys.ts'

type Verify = (token: string) => Promise<JWTPayload>

const CLOCK_TOLERANCE_SECONDS = 5
/** Asymmetric algorithms only: a public key of the JWKS must never serve as an HMAC secret. */
const JWKS_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA'],
]

/**
 * Verifies the signature, `exp`, `sub`, and the issuer and audience where they are configured. With a JWKS, one of its
 * keys must have signed the token; otherwise one of the secrets (HS256). Several secrets allow rotation.
 * The returned function throws TokenRefusedError (UNAUTHORIZED or TOKEN_EXPIRED), or ApiError KEYS_UNAVAILABLE.
 */
export function createVerify({ secrets, jwksUrl, issuer, audience }: Config['jwt'], log: Logger): Verify {
  const options = {
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    requiredClaims: ['exp', 'sub'],
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
  }
  if (jwksUrl !== undefined) {
    const keys = createRemoteKeys(jwksUrl, log)
    return (token) => verifyWith(keys, token, { ...options, algorithms: JWKS_ALGORITHMS })
  }
  const keys = secrets.map((secret) => new TextEncoder().encode(secret))
  return (token) => verifyWithAny(keys, token, { ...options, algorithms: ['HS256'] })
}

/** Tries the secrets in the configured order, the current one first, until one verifies the token's signature. */
async function verifyWithAny(
  keys: Uint8Array[],
  token: string,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  const [key, ...others] = keys
  if (key === undefined) throw new TokenRefusedError('neither JWT_SECRET nor JWT_JWKS_URL is set')
  try {
    return await verifyWith(() => key, token, options)
  } catch (error) {
    const isOtherKey =
      error instanceof TokenRefusedError && error.cause instanceof errors.JWSSignatureVerificationFailed
    if (isOtherKey && others.length > 0) return verifyWithAny(others, token, options)
    throw error
  }
}

/** @throws TokenRefusedError when the token is invalid, ApiError when its key cannot be looked up */
async function verifyWith(
  key: JWTVerifyGetKey,
  token: string,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, key, options)).payload
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error
    const name = error instanceof errors.JWTExpired ? 'TOKEN_EXPIRED' : 'UNAUTHORIZED'
    throw new TokenRefusedError(reasonOfVerification(error), name, { cause: error })
  }
}
