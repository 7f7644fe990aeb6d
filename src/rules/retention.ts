/** How long an `Idempotency-Key` protects a request; clients were promised this. PostgreSQL's notation. */
export const IDEMPOTENCY_KEPT = '24 hours'
