import { errors } from 'jose'
import type { z } from 'zod'

/** Why a token is refused, in words for the log. There are few reasons, and none has a value of the token in it. */
type RefusalReason = string

/** The reason of an error of `jose`, which verifies signature, algorithm, expiry, issuer and audience. */
export function reasonOfVerification(error: errors.JOSEError): RefusalReason {
  if (error instanceof errors.JWTExpired) return 'the token has expired'
  if (error instanceof errors.JWTClaimValidationFailed) return reasonOfClaim(error.claim, error.reason)
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return 'the token is signed with another key than the configured ones'
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return 'the JWKS has no key, or several, for the kid and alg of the token: an unknown key'
  if (error instanceof errors.JOSEAlgNotAllowed)
    return 'the alg of the token is not accepted: HS256 with JWT_SECRET, asymmetric ones with JWT_JWKS_URL'
  return 'the token is no JWT that can be read'
}

const EXPECTED: Readonly<Record<string, string>> = {
  iss: 'the issuer (claim iss) is not JWT_ISSUER',
  aud: 'the audience (claim aud) does not contain JWT_AUDIENCE',
  nbf: 'the token is not valid yet (claim nbf)',
}

function reasonOfClaim(claim: string, reason: string): RefusalReason {
  if (reason === 'missing') return `the claim ${claim} is missing`
  return EXPECTED[claim] ?? `the claim ${claim} is not valid`
}

/** The reason of claims that are verified but say nothing that Usher can use. */
export function reasonOfClaims(claims: Record<string, unknown>, { issues }: z.ZodError): RefusalReason {
  const claim = String(issues[0]?.path[0] ?? '')
  if (claim === 'role') return reasonOfRole(claims.role)
  if (claim !== '') return `the claim ${claim} is not valid`
  const names = ['org_id', 'org_ids', 'partner_id'].filter((name) => claims[name] !== undefined)
  if (names.length === 0) return 'the token has no org claim: org_id, or partner_id and org_ids for a partner'
  return `the token has the claims ${names.join(', ')}: it needs org_id alone, or partner_id and org_ids`
}

function reasonOfRole(role: unknown): RefusalReason {
  if (role === undefined) return 'the claim role is missing: ADMIN or MEMBER'
  const isOtherCase = typeof role === 'string' && /^(admin|member)$/i.test(role)
  return isOtherCase
    ? 'the claim role is not in upper case: ADMIN or MEMBER'
    : 'the claim role is not one of ADMIN and MEMBER'
}
