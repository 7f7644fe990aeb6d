/** SQL: the time by the database's clock, in microseconds since 1970; later in each statement than in the one before. */
export const MICROSECONDS = '(extract(epoch from clock_timestamp()) * 1000000)::bigint'

/**
 * SQL: a new UUID of version 7 (RFC 9562, 6.2, methods 1 and 3) for a time in microseconds: its milliseconds, the rest of
 * them in quarters of a microsecond, then `place`, which orders the rows of one statement, and 48 random bits.
 */
export function uuidAt(microseconds: string, place: string): string {
  return `(lpad(to_hex(${microseconds} / 1000), 12, '0') || '7' || lpad(to_hex(${microseconds} % 1000 * 4), 3, '0')
    || to_hex(32768 + ${place} % 16384) || right(gen_random_uuid()::text, 12))::uuid`
}
