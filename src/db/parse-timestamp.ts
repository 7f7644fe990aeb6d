import pg from 'pg'

const TIMESTAMPTZ = 1184
const parseAny: (text: string) => unknown = pg.types.getTypeParser(TIMESTAMPTZ)

/** How a pool reads the values of rows: as the pg library does, but for `parseTimestamp`. */
export const TYPES: pg.CustomTypesConfig = {
  getTypeParser(oid, format) {
    if (Number(oid) === TIMESTAMPTZ && format !== 'binary') return parseTimestamp
    return pg.types.getTypeParser(oid, format)
  },
}

const ZERO = '0'.charCodeAt(0)
const DASH = '-'.charCodeAt(0)
const DOT = '.'.charCodeAt(0)
const FIRST_OF_FOUR_DIGITS = 1_000

/**
 * A time as PostgreSQL writes it in UTC, the time zone of all sessions (settings.ts): `2026-11-26 18:04:09.123456+00`.
 * Routing reads about ten of them for each message, and the regular expressions of the pg library took 2 % of its CPU time.
 * Any other spelling (another zone, a year before 1000 or after 9999, infinity) is left to that library.
 */
export function parseTimestamp(text: string): unknown {
  const end = text.length - 3
  if (end < 19 || text.charCodeAt(4) !== DASH || !text.endsWith('+00')) return parseAny(text)
  const year = digits(text, 0, 4)
  if (!(year >= FIRST_OF_FOUR_DIGITS)) return parseAny(text)
  const day = Date.UTC(year, digits(text, 5, 7) - 1, digits(text, 8, 10))
  const seconds = (digits(text, 11, 13) * 60 + digits(text, 14, 16)) * 60 + digits(text, 17, 19)
  return new Date(day + seconds * 1_000 + milliseconds(text, end))
}

function digits(text: string, from: number, to: number): number {
  let value = 0
  for (let i = from; i < to; i += 1) value = value * 10 + text.charCodeAt(i) - ZERO
  return value
}

/** Of `.5` to `.123456`, cut off as the pg library does. */
function milliseconds(text: string, end: number): number {
  if (text.charCodeAt(19) !== DOT) return 0
  const to = Math.min(end, 23)
  return digits(text, 20, to) * 10 ** (23 - to)
}
