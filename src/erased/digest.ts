import { createHmac, hkdfSync } from 'node:crypto'

/** The key of the digests: derived from SECRETS_KEY, which is not in the database, so that a dump of it tells no name. */
export function digestKey(secretsKey: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', secretsKey, '', 'usher: tombstones', 32))
}

/** What is kept of a wamid, or of a name, of a person who was erased in an org. */
export function digestOf(key: Buffer, orgId: string, value: string): Buffer {
  return createHmac('sha256', key).update(`${orgId}\n${value}`).digest()
}
