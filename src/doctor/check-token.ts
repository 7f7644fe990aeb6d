import { type Check, fail, fine, warn } from './check.ts'
import type { TokenFacts } from './token-facts.ts'

const SCOPES = ['whatsapp_business_messaging', 'whatsapp_business_management']
const SOON_DAYS = 14
const DAY_MS = 86_400_000

/** Judges what Meta says about a token: whether it is valid, when it expires, and what it may do. */
export function checkToken(waba: string, described: TokenFacts, now: Date): Check[] {
  const name = `${waba}: token`
  const renew = 'make a token of a system user that does not expire, and provision it'
  if (!described.is_valid) return [fail(name, 'is not valid', renew)]
  const missing = SCOPES.filter((scope) => !described.scopes.includes(scope))
  return [
    checkExpiry(name, described.expires_at, now, renew),
    missing.length === 0
      ? fine(`${waba}: scopes`, SCOPES.join(', '))
      : fail(`${waba}: scopes`, `without ${missing.join(', ')}`, 'make a token with these permissions'),
  ]
}

function checkExpiry(name: string, expiresAt: number, now: Date, renew: string): Check {
  if (expiresAt === 0) return fine(name, 'is valid and does not expire')
  const at = new Date(expiresAt * 1_000)
  const found = `expires on ${at.toISOString().slice(0, 10)}`
  if (at < now) return fail(name, found, renew)
  return at.getTime() - now.getTime() < SOON_DAYS * DAY_MS ? warn(name, found, renew) : fine(name, found)
}
