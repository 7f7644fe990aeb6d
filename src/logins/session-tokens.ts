import { hkdfSync } from 'node:crypto'
import { EncryptJWT, errors, jwtDecrypt } from 'jose'
import { z } from 'zod'

/** What a session says: who logged in, and a fingerprint of the password at that time. It grants nothing by itself. */
const session = z.object({ sub: z.string(), password: z.string() })

export type Session = { name: string; passwordPrint: string }

export type SessionTokens = {
  /** A token for a session that begins now. */
  seal(session: Session): Promise<string>
  /** The session of a token; undefined when the token is not ours, was changed, or is too old. */
  open(token: string): Promise<Session | undefined>
}

/** How long a session lasts, in seconds. */
export const SESSION_SECONDS = 12 * 3_600
const CLOCK_TOLERANCE_SECONDS = 5
const AUDIENCE = 'usher-session'
const ENCRYPTION = { alg: 'dir', enc: 'A256GCM' } as const

/**
 * Tokens of sessions: JWTs, encrypted with a key that is derived from SECRETS_KEY. Every process with the same SECRETS_KEY
 * accepts them, also after a restart, and nothing is stored.
 */
export function createSessionTokens(secretsKey: Buffer): SessionTokens {
  const key = new Uint8Array(
    hkdfSync('sha256', secretsKey, '', 'usher: sessions of the internal listener', 32),
  )
  return {
    seal: ({ name, passwordPrint }) =>
      new EncryptJWT({ password: passwordPrint })
        .setProtectedHeader(ENCRYPTION)
        .setSubject(name)
        .setAudience(AUDIENCE)
        .setIssuedAt()
        .setExpirationTime(`${SESSION_SECONDS} s`)
        .encrypt(key),
    open: async (token) => {
      const claims = await decrypt(token, key)
      const { data } = session.safeParse(claims)
      return data && { name: data.sub, passwordPrint: data.password }
    },
  }
}

async function decrypt(token: string, key: Uint8Array): Promise<unknown> {
  const options = {
    audience: AUDIENCE,
    requiredClaims: ['exp', 'sub'],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    keyManagementAlgorithms: [ENCRYPTION.alg],
    contentEncryptionAlgorithms: [ENCRYPTION.enc],
  }
  try {
    return (await jwtDecrypt(token, key, options)).payload
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined
    throw error
  }
}
