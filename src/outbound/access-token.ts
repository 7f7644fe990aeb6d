import { decryptSecret } from '../secrets.ts'
import type { Send } from './read-send.ts'

/** The access token of a send's WABA; undefined when this process cannot decrypt it. */
export function accessTokenOf(
  { accessToken, org, wabaId }: Pick<Send, 'accessToken' | 'org' | 'wabaId'>,
  key: Buffer | undefined,
): string | undefined {
  if (!key) return undefined
  try {
    return decryptSecret(accessToken, key, `${org}/${wabaId}`)
  } catch {
    return undefined
  }
}
