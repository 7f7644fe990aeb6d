/**
 * SQL: a time by which a table is partitioned, such as `m.sent_at`, in a form by which PostgreSQL chooses no partitions. A
 * statement that locks or changes rows compares this, not the column, with what it finds while it runs; bounds that are
 * parameters, or that are of `now()`, may use the column. PostgreSQL 18.4 otherwise crashes, or passes over rows, when
 * another transaction has changed one of the rows (docs/ledger.md#statements-that-lock-rows).
 */
export function withoutPruning(column: string): string {
  return `(${column} + interval '0')`
}
