import { randomBytes } from 'node:crypto'
import { ApiError } from '../errors.ts'
import { decryptSecret, encryptSecret } from '../secrets.ts'

/** Standard Webhooks asks for 24 to 64 random bytes. */
const BYTES = 32

/** A new secret of an endpoint, as Standard Webhooks writes them. */
export function newSecret(): string {
  return `whsec_${randomBytes(BYTES).toString('base64')}`
}

type Owner = { orgId: string; id: string }

/**
 * Encrypts the secret of an endpoint for storage.
 * @throws ApiError SECRETS_KEY_MISSING where the installation has no key
 */
export function sealSecret(secret: string, owner: Owner, key: Buffer | undefined): Buffer {
  if (!key) throw new ApiError('SECRETS_KEY_MISSING')
  return encryptSecret(secret, key, contextOf(owner))
}

/** The secret of an endpoint; undefined where this key does not decrypt it. */
export function openSecret(sealed: Buffer, owner: Owner, key: Buffer | undefined): string | undefined {
  if (!key) return undefined
  try {
    return decryptSecret(sealed, key, contextOf(owner))
  } catch {
    return undefined
  }
}

function contextOf({ orgId, id }: Owner): string {
  return `${orgId}/webhook endpoint/${id}`
}
