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

/** SQL: the id of a message that Usher sent, which stays when Meta gives it a wamid; null for any other message. */
export function sendIdSql(message: string): string {
  return `coalesce(${message}.outbox_id, ${outboxIdSql(message)})`
}

/**
 * SQL: the id of the outbox row behind a message of the ledger, given by its alias; null where the wamid is Meta's. Meta
 * may give any wamid, so only the form of a whole provisional one counts, and only of a message that Usher sent.
 */
export function outboxIdSql(message: string): string {
  return outboxIdOfSql(`${message}.wamid`, `${message}.direction = 'out' and `)
}

/** SQL: the id in a provisional wamid; null for any other text. `also`: a condition that must hold too, with its `and`. */
export function outboxIdOfSql(wamid: string, also = ''): string {
  return `case when ${also}${wamid} ~ '^${PREFIX}[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
    then substr(${wamid}, ${PREFIX.length + 1})::uuid end`
}
