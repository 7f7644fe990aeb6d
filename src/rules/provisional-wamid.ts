/**
 * Until Meta gives a sent message its id, the ledger knows it as `outbox:<id of its outbox row>`, which the API shows
 * (docs/rules.md#how-a-send-ends).
 */
const PREFIX = 'outbox:'

/** The provisional wamid of an outbox row. */
export function provisionalWamid(outboxId: string): string {
  return `${PREFIX}${outboxId}`
}

/** SQL: `provisionalWamid` of an expression that gives the id of an outbox row. */
export function provisionalWamidSql(outboxId: string): string {
  return `'${PREFIX}' || ${outboxId}`
}

/** SQL: the id of the outbox row in an expression that gives a wamid; null for a wamid of Meta. */
export function outboxIdSql(wamid: string): string {
  return `case when ${wamid} like '${PREFIX}%' then substr(${wamid}, ${PREFIX.length + 1})::uuid end`
}
