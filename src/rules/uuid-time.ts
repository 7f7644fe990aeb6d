/**
 * SQL: the least UUIDv7 of a time. Ids of Usher's rows are UUIDv7, which start with the milliseconds since 1970, so
 * the primary key finds the rows that were made before or after a time.
 */
export function firstUuidOf(time: string): string {
  return `(lpad(to_hex(floor(extract(epoch from ${time}) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid`
}
