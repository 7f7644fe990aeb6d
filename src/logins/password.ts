import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { STORED_PASSWORD } from './parse-users.ts'

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt)

/** 32 MB and about 0.2 s: one of the settings that OWASP's "Password Storage Cheat Sheet" recommends for scrypt. */
const COST: ScryptOptions = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 }
const COST_TEXT = 'ln=15,r=8,p=3'
const HASH_BYTES = 32
const NOBODY = { salt: randomBytes(16), hash: Buffer.alloc(HASH_BYTES) }

/** Hashes a password with a new salt, as a users file keeps it. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const hash = await derive(password.normalize('NFC'), salt, HASH_BYTES, COST)
  return `$scrypt$${COST_TEXT}$${salt.toString('base64url')}$${hash.toString('base64url')}`
}

/**
 * True when `stored` is the hash of the password. Without `stored` it takes as long and is false, so that the time taken does
 * not reveal which names are known.
 */
export async function passwordMatches(password: string, stored: string | undefined): Promise<boolean> {
  const [, salt, hash] = STORED_PASSWORD.exec(stored ?? '') ?? []
  const known =
    salt !== undefined && hash !== undefined
      ? { salt: Buffer.from(salt, 'base64url'), hash: Buffer.from(hash, 'base64url') }
      : undefined
  const expected = known ?? NOBODY
  const given = await derive(password.normalize('NFC'), expected.salt, HASH_BYTES, COST)
  return timingSafeEqual(given, expected.hash) && known !== undefined
}
