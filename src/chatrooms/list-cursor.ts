import { z } from 'zod'

/**
 * The place behind a chatroom in a list: of chatrooms that wait, by the time since when they do, then by id; of others,
 * where `since` is null, by id.
 */
export type Place = { since: Date | null; id: string }

const YEAR_10000_MS = 253_402_300_800_000
const parts = z.tuple([z.int().min(0).lt(YEAR_10000_MS).nullable(), z.uuid()])

/** The cursor as clients get it: opaque to them. */
export function encodePlace({ since, id }: Place): string {
  return Buffer.from(JSON.stringify([since?.getTime() ?? null, id])).toString('base64url')
}

/** The place in the `next_before` of an earlier answer; undefined for any other text. */
export function decodePlace(text: string): Place | undefined {
  try {
    const [ms, id] = parts.parse(JSON.parse(Buffer.from(text, 'base64url').toString()))
    return { since: ms === null ? null : new Date(ms), id }
  } catch {
    return undefined
  }
}
