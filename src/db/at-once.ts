/**
 * SQL: the time from which something is due that is due at once. Columns of times have milliseconds, and PostgreSQL rounds:
 * `now()` itself may be stored as a time half a millisecond ahead, and a worker that looks at once would pass it over.
 */
export const AT_ONCE = "date_trunc('milliseconds', now())"
