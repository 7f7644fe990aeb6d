import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** Node joins repeated headers with ', ', so a request with two signatures does not match. */
const HEADER = /^sha256=([0-9a-f]{64})$/

/**
 * True when `header` (`X-Hub-Signature-256`) is the HMAC-SHA256 of the raw bytes under one of the app secrets. All
 * secrets are always tried, so that the time taken does not reveal which one matched. Without secrets: false. Never
 * throws. The rule is Meta's, "Create a webhook endpoint", validating payloads.
 */
export function signatureMatches(
  body: Buffer,
  header: string | string[] | undefined,
  secrets: readonly string[],
): boolean {
  const hex = typeof header === 'string' ? HEADER.exec(header)?.[1] : undefined
  if (hex === undefined) return false
  const given = Buffer.from(hex, 'hex')
  return secrets.map((secret) => timingSafeEqual(hmac(body, secret), given)).includes(true)
}

/** The `X-Hub-Signature-256` value Meta would send for these bytes: `sha256=` and 64 lower-case hex digits. */
export function sign(body: Buffer, secret: string): string {
  return `sha256=${hmac(body, secret).toString('hex')}`
}

/** Compares two texts in a time that depends only on their lengths, not on where they differ. */
export function wordsMatch(a: string, b: string): boolean {
  return timingSafeEqual(sha256(a), sha256(b))
}

function hmac(body: Buffer, secret: string): Buffer {
  return createHmac('sha256', secret).update(body).digest()
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
