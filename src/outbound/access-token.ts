import { decryptSecret } from '../secrets.ts'

/** What an HTTP header can carry: visible ASCII characters. Meta's tokens are letters and digits. */
export const TOKEN_PATTERN = /^[\x21-\x7e]+$/

/** The access token of a WABA; undefined when this key cannot decrypt it, or no HTTP header could carry it. */
export function accessTokenOf(
  { accessToken, org, wabaId }: { accessToken: Buffer; org: string; wabaId: string },
  key: Buffer | undefined,
): string | undefined {
  if (!key) return undefined
  try {
    const token = decryptSecret(accessToken, key, `${org}/${wabaId}`)
    return TOKEN_PATTERN.test(token) ? token : undefined
  } catch {
    return undefined
  }
}
