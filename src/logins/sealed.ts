import { hkdfSync } from 'node:crypto'
import { EncryptJWT, errors, jwtDecrypt } from 'jose'
import type { z } from 'zod'

/** Content that a browser keeps for us in a cookie: it can neither read nor change it. */
export type Sealed<Content> = {
  /** The content as a token, which is valid from now for so many seconds. */
  seal(content: Content, seconds: number): Promise<string>
  /** The content of a token; undefined when the token is not ours, was changed, or is too old. */
  open(token: string): Promise<Content | undefined>
}

type Options<Content> = { purpose: string; shape: z.ZodType<Content> }

const CLOCK_TOLERANCE_SECONDS = 5
const ENCRYPTION = { alg: 'dir', enc: 'A256GCM' } as const

/**
 * Seals content in JWTs, encrypted with a key that is derived from SECRETS_KEY for this purpose. Every process with the same
 * SECRETS_KEY opens them, also after a restart, and nothing is stored.
 */
export function createSealed<Content extends object>(
  secretsKey: Buffer,
  { purpose, shape }: Options<Content>,
): Sealed<Content> {
  const key = new Uint8Array(hkdfSync('sha256', secretsKey, '', `usher: ${purpose}`, 32))
  return {
    seal: (content, seconds) =>
      new EncryptJWT({ content })
        .setProtectedHeader(ENCRYPTION)
        .setIssuedAt()
        .setExpirationTime(`${seconds} s`)
        .encrypt(key),
    open: async (token) => shape.safeParse(await decrypt(token, key)).data,
  }
}

async function decrypt(token: string, key: Uint8Array): Promise<unknown> {
  const options = {
    requiredClaims: ['exp'],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    keyManagementAlgorithms: [ENCRYPTION.alg],
    contentEncryptionAlgorithms: [ENCRYPTION.enc],
  }
  try {
    return (await jwtDecrypt(token, key, options)).payload.content
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined
    throw error
  }
}
