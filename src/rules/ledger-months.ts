/**
 * The ledger has a partition for each UTC month of the times of its messages (docs/ledger.md), and a wamid is unique in
 * each. These are the times between which a message can be, so that a look-up by wamid opens a few partitions, not all.
 */
export type Span = {
  since: Date
  /** Exclusive. */
  until: Date
}

/** A message of an org, and the months in which it can be. */
export type LedgerEntry = { orgId: string; wamid: string; months: Span }

const DAY_MS = 86_400_000
/** Meta delivers a message again for so long (docs/meta.md#deliveries). */
const REDELIVERED_DAYS = 7
/** Meta reports reactions to messages of the last 30 days; edits and revokes come sooner. */
const NAMED_DAYS = 31

/**
 * The whole months in which the ledger can have a message that Meta delivers with this time: a redelivery has the same
 * time, a ghost and its content have times close to each other, and a message without a usable time has that of receipt.
 */
export function monthsOfMessage(sentAt: Date): Span {
  return monthsFrom(sentAt, REDELIVERED_DAYS)
}

/** The place of a message that Meta delivers: there it is if it is stored already. */
export function ledgerEntryOf(orgId: string, message: { wamid: string; sentAt: Date }): LedgerEntry {
  return { orgId, wamid: message.wamid, months: monthsOfMessage(message.sentAt) }
}

/** The whole months in which a message can be that a reaction, an edit or a revoke of this time names. */
export function monthsOfNamed(sentAt: Date): Span {
  return monthsFrom(sentAt, NAMED_DAYS)
}

/**
 * SQL: whether a message with this time can be the one of a row of the outbox that was made at `createdAt`. Both have the
 * time of one transaction. The time in the id of the row would not do: it is of a clock that may have been wrong.
 */
export function isOfSendSql(sentAt: string, createdAt: string): string {
  return `${sentAt} > ${createdAt} - interval '2 days' and ${sentAt} < ${createdAt} + interval '2 days'`
}

/** SQL: whether a message can be one that Usher queued after `time`: its clock may have been set back since. */
export function isLaterSql(m: string, time: string): string {
  return `${m}.sent_at > ${time} - interval '2 days'`
}

/** The least span that has all of these in it; of none, a span without a time in it. */
export function spanOfAll(spans: Span[]): Span {
  const [first = { since: new Date(0), until: new Date(0) }, ...others] = spans
  let { since, until } = first
  for (const span of others) {
    if (span.since < since) since = span.since
    if (span.until > until) until = span.until
  }
  return { since, until }
}

function monthsFrom(sentAt: Date, daysBefore: number): Span {
  const since = new Date(sentAt.getTime() - daysBefore * DAY_MS)
  const until = new Date(sentAt.getTime() + REDELIVERED_DAYS * DAY_MS)
  return { since: monthOf(since, 0), until: monthOf(until, 1) }
}

/** The first moment of the month of `at`, or of one of the months after it. */
function monthOf(at: Date, months: number): Date {
  return new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + months, 1))
}
