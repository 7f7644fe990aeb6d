import { z } from 'zod'

/**
 * A place in the event log of an org: behind all events up to (position, seq). `at` is the time of the last event before
 * it, or when the log was read to its end. Numbers are decimal text, because JavaScript's are not exact beyond 2^53.
 */
export type Cursor = { orgId: string; position: string; seq: string; at: Date }

const YEAR_10000_MS = 253_402_300_800_000
const number = z.string().regex(/^\d{1,18}$/)
const parts = z.tuple([z.string(), number, number, z.int().min(0).lt(YEAR_10000_MS)])

/** The place before the oldest event that is kept. */
export function firstCursor(orgId: string): Cursor {
  return { orgId, position: '0', seq: '0', at: new Date(0) }
}

/** The cursor as clients get it: opaque to them. */
export function encodeCursor({ orgId, position, seq, at }: Cursor): string {
  return Buffer.from(JSON.stringify([orgId, position, seq, at.getTime()])).toString('base64url')
}

/** The cursor in the `next` of an earlier answer; undefined for any other text. */
export function decodeCursor(text: string): Cursor | undefined {
  try {
    const [orgId, position, seq, ms] = parts.parse(JSON.parse(Buffer.from(text, 'base64url').toString()))
    return { orgId, position, seq, at: new Date(ms) }
  } catch {
    return undefined
  }
}
