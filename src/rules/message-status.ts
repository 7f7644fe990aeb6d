/**
 * The statuses of a sent message, each stronger than those before it (docs/rules.md#statuses). `delivered`, `read` and
 * `played` are proofs that the customer has the message, so they are stronger than `failed`, whatever comes first.
 */
export const STATUS_ORDER = ['sent', 'failed', 'delivered', 'read', 'played'] as const

/** SQL: the strength of a status, from 1; null for a status word that Usher does not know. */
export function statusRankSql(status: string): string {
  return `array_position(array[${STATUS_ORDER.map((name) => `'${name}'`).join(', ')}], ${status})`
}
