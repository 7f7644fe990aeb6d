/** Meta reports statuses of a message for 30 days after it was sent, and that it was read whenever it is read. */
const DAYS = 100
const RECENT_DAYS = 7

const ago = (days: number) => `now() - interval '${days} days'`
/** Of messages of the Business App, `sent_at` is of Meta's clock, which may be ahead of the database's. */
const NOT_LATER = `interval '1 day'`

/** SQL: whether the message `m` is recent enough for a status; the months before are not looked at. */
export function canHaveStatusSql(m: string): string {
  return `${m}.sent_at > ${ago(DAYS)} and ${m}.sent_at < now() + ${NOT_LATER}`
}

/**
 * SQL: two conditions on the message `m`: it was sent in the last 7 days, or in the 93 days before. Most statuses are of
 * recent messages, so a statement reads the partitions of the first span, and those of the second for the other statuses only.
 */
export const STATUS_SPANS: readonly ((m: string) => string)[] = [
  (m) => `${m}.sent_at > ${ago(RECENT_DAYS)} and ${m}.sent_at < now() + ${NOT_LATER}`,
  (m) => `${m}.sent_at > ${ago(DAYS)} and ${m}.sent_at <= ${ago(RECENT_DAYS)}`,
]

/**
 * SQL: `lateral` relation `alias` with the message of the last 100 days that has the org_id and the wamid of `key`; no row
 * if there is none. A status names only a wamid.
 */
export function findSentSql(key: string, alias: string): string {
  const parts = STATUS_SPANS.map(
    (isIn) => `(
          select m.org_id, m.wamid, m.sent_at, m.direction, m.customer_id from messages m
          where m.org_id = ${key}.org_id and m.wamid = ${key}.wamid and ${isIn('m')} limit 1)`,
  )
  return `lateral (
        select * from (${parts.join(' union all ')}) found
        limit 1) ${alias}`
}
