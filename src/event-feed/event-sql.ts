import type { EventType } from '../event-log/types.ts'
import { monthsOfMessage } from '../rules/ledger-months.ts'
import { outboxIdOfSql } from '../rules/provisional-wamid.ts'

/** A row of the log with the rows that it names, as of now. */
export type EventRow = {
  position: string
  seq: string
  at: Date
  type: EventType
  data: Record<string, unknown> | null
  wamid: string | null
  message: Record<string, unknown> | null
  /** What Meta sent, or what was sent to Meta. */
  payload: unknown
  audit: Record<string, unknown> | null
  account: Record<string, unknown> | null
  chatroomId: string | null
  contact: { id: string; crm_id: string } | null
  customer: { id: string; merged_into: string | null; names: { kind: string; value: string }[] } | null
}

/**
 * SQL: the columns of `EventRow`, of rows `w` of the log of one org, with `eventJoins`. The names have no order: PostgreSQL
 * would read them in the order of an index that does not fit.
 */
export const eventFields = (
  org: string,
) => `w.position::text as position, w.seq::text as seq, w.at, w.type, w.data, w.wamid,
    case when m.wamid is not null then json_build_object('id', m.outbox_id, 'retry_of', m.retry_of,
      'direction', m.direction, 'type', m.type,
      'sent_at', m.sent_at, 'received_at', m.received_at, 'route', m.route, 'reason', m.reason, 'wa_id', m.wa_id,
      'user_id', m.user_id, 'remote_phone_id', p.remote_id) end as message, m.payload,
    case when a.id is not null then json_build_object('actor', a.actor, 'reason', a.reason, 'wamid', a.wamid,
      'before', a.before, 'after', a.after) end as audit,
    case when x.digest is not null then json_build_object('waba_id', x.waba_id, 'field', x.field,
      'value', x.payload) end as account,
    coalesce(a.chatroom_id, m.chatroom_id) as "chatroomId",
    case when c.id is not null then json_build_object('id', c.id, 'crm_id', c.crm_id) end as contact,
    case when k.id is not null then json_build_object('id', k.id, 'merged_into', k.merged_into, 'names', (
      select coalesce(json_agg(json_build_object('kind', n.kind, 'value', n.value)), '[]')
      from customer_aliases n where n.org_id = ${org} and n.customer_id = coalesce(k.merged_into, k.id))) end as customer`

/** `eventFields` of the org $1. */
export const EVENT_FIELDS = eventFields('$1')

/** SQL: the message of the event `w`, among those of some times; `isKey` is the condition that finds it. */
const among = (org: string, isKey: string, times: string) =>
  `select * from messages where org_id = ${org} and ${isKey}${times}`

/** An event that names a message by its provisional wamid finds it also when Meta has given it another one since. */
const messageSql = (org: string, times: string) => `left join lateral (
    ${among(org, 'wamid = w.wamid', times)}
    union all
    ${among(org, `outbox_id = ${outboxIdOfSql('w.wamid')}`, times)} limit 1) m on true`

/**
 * SQL: joins what the rows `w` of the log of an org name: messages of the days around the event only, and none before the
 * time `since`, which is a parameter. PostgreSQL thus plans for, and opens, a few partitions of the ledger. A row that names
 * an older message gets it by `addOlderMessages`.
 */
export function eventJoins(since: string, org = '$1'): string {
  return joins(
    org,
    ` and sent_at >= ${since}::timestamptz and sent_at >= w.at - interval '8 days'
      and sent_at < w.at + interval '1 day'`,
  )
}

/** A parameter of `eventJoins`: before all messages that it should find for events since `at`. */
export const messagesSince = (at: Date) => monthsOfMessage(at).since

const joins = (org: string, times: string) => `${messageSql(org, times)}
  ${joinOne(org, 'a', 'events', 'id = w.audit_id')}
  ${joinOne(org, 'r', 'chatrooms', 'id = coalesce(a.chatroom_id, m.chatroom_id)')}
  ${joinOne(org, 'x', 'account_events', `w.type = 'account.event' and digest = decode(w.data ->> 'digest', 'hex')`)}
  ${joinOne(org, 'c', 'contacts', 'id = coalesce(a.contact_id, r.contact_id)')}
  ${joinOne(org, 'k', 'customers', 'id = w.customer_id')}
  ${joinOne(org, 'p', 'waba_phones', 'id = m.waba_phone_id')}`

/** As `eventJoins` of the org $1, with messages of all times. */
export const ALL_JOINS = joins('$1', '')

/**
 * A look-up of one row by its key. In a plain join, a plan that was made when a table was empty reads all rows of the org
 * for each event, and compares the ids afterwards.
 */
function joinOne(org: string, alias: string, table: string, isKey: string): string {
  return `left join lateral (select * from ${table} where org_id = ${org} and ${isKey} limit 1) ${alias} on true`
}
