import { columns, json, text, timestamptz, uuid } from '../db/columns.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import { allRows, nothing, over, type Statement } from '../db/statement.ts'
import { logSql } from '../event-log/log-events.ts'
import { POSITION_OF_ROW } from '../event-log/position.ts'
import { logStatuses } from '../event-log/status-sql.ts'
import { PAIR_IS_LOCKED } from '../outbound/lock-pairs.ts'
import type { FailedMessage } from '../outbound/refusals.ts'
import { findSentSql, STATUS_SPANS } from '../rules/find-sent.ts'
import { isOfSendSql } from '../rules/ledger-months.ts'
import { statusRankSql } from '../rules/message-status.ts'
import { provisionalWamidSql } from '../rules/provisional-wamid.ts'
import { withoutPruning } from '../rules/without-pruning.ts'
import type { StatusUpdate } from '../webhook/items.ts'
import { keepEarlyStatuses } from './early-statuses.ts'

export type OrgStatus = StatusUpdate & { orgId: string }

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The outbox row that a status names. */
export function outboxIdOf({ callback }: OrgStatus): string | undefined {
  return callback !== undefined && UUID.test(callback) ? callback : undefined
}

/** The outbox rows that end by these statuses. */
export function endedBy(statuses: OrgStatus[]): OutboxRow[] {
  return statuses.flatMap((status) => {
    const id = outboxIdOf(status)
    return id === undefined ? [] : [{ org: status.orgId, id }]
  })
}

/**
 * Moves the statuses of sent messages forward, never back: Meta sends statuses late and in any order. Those of unknown
 * messages are kept for the answer to a send that is still to come. Status words that Meta added later change nothing.
 * The three statements belong together, in this order; the second gives the messages that failed by these statuses.
 */
export function applyStatuses(
  statuses: OrgStatus[],
): [Statement<void>, Statement<FailedMessage[]>, Statement<void>] {
  return [
    markSentByStatus(statuses.filter(outboxIdOf)),
    moveForward(statuses),
    keepEarlyStatuses(STATUSES, statuses),
  ]
}

const CALLBACKS = columns<OrgStatus>({
  org_id: text((s) => s.orgId),
  id: uuid((s) => s.callback),
  wamid: text((s) => s.wamid),
  status: text((s) => s.status),
})

/**
 * A status that names the outbox row ends the send, whatever its state: Meta has the message, so it is not sent again, and
 * the message gets its real wamid. The pairs are locked before rows and messages, in the order of `lockPairs`.
 */
function markSentByStatus(statuses: OrgStatus[]): Statement<void> {
  return over(CALLBACKS, statuses, {
    name: 'mark-sent-by-status',
    text: `with s as (
        select distinct on (org_id, id) * from ${CALLBACKS.as('s')} order by org_id, id, status = 'failed'),
      pair as materialized (
        select from s join outbox o on o.org_id = s.org_id and o.id = s.id
        join outbox_pairs q on q.org_id = o.org_id and q.customer_id = o.customer_id
          and q.waba_phone_id = o.waba_phone_id
        order by q.org_id, q.customer_id, q.waba_phone_id for update of q),
      ended as (
        update outbox o set wamid = s.wamid, state = case when s.status = 'failed' then 'failed' else 'sent' end,
          error = case when s.status = 'failed' then o.error end
        from s where o.org_id = s.org_id and o.id = s.id and o.state <> 'sent' and (select count(*) from pair) > 0),
      made as materialized (
        select s.*, o.created_at from s join outbox o on o.org_id = s.org_id and o.id = s.id
        where o.state <> 'sent'),
      named as (
        update messages m set wamid = s.wamid, errors = null
        from made s where m.org_id = s.org_id and m.direction = 'out' and m.wamid = ${provisionalWamidSql('s.id')}
          and ${isOfSendSql(withoutPruning('m.sent_at'), 's.created_at')} and ${PAIR_IS_LOCKED}
        returning m.org_id, 'message.sent', m.customer_id, m.wamid)
      ${logSql('named as n(org_id, type, customer_id, wamid)', 'org_id, type, customer_id, wamid', POSITION_OF_ROW)}`,
    read: nothing,
  })
}

const STATUSES = columns<OrgStatus>({
  org_id: text((s) => s.orgId),
  remote_phone_id: text((s) => s.phoneId),
  wamid: text((s) => s.wamid),
  status: text((s) => s.status),
  at: timestamptz((s) => s.at),
  errors: json((s) => s.errors),
})

function moveForward(statuses: OrgStatus[]): Statement<FailedMessage[]> {
  return over(STATUSES, statuses, {
    name: 'apply-statuses',
    text: `with newest as (
        select distinct on (u.org_id, u.wamid) u.* from ${STATUSES.as('u')}
        where ${statusRankSql('u.status')} is not null
        order by u.org_id, u.wamid, ${statusRankSql('u.status')} desc),
      found as materialized (select n.*, f.sent_at from newest n cross join ${findSentSql('n', 'f')}),
      ${STATUS_SPANS.map((isIn, i) => `moved_${i} as (${move(isIn)})`).join(',\n      ')},
      moved as (${STATUS_SPANS.map((_, i) => `select * from moved_${i}`).join(' union all ')}),
      logged as (${logStatuses('moved')})
      select org_id as "orgId", customer_id as "customerId", waba_phone_id as "phoneId",
        remote_phone_id as "remotePhoneId", type, status_at as at, reported as errors
      from moved where status = 'failed'`,
    read: allRows<FailedMessage>,
  })
}

/** SQL: moves the found messages of one span. */
function move(isIn: (m: string) => string): string {
  return `
        update messages m set status = n.status, status_at = n.at,
          errors = case when n.status in ('sent', 'failed') then coalesce(n.errors, m.errors) else n.errors end
        from found n
        where ${isIn('n')} and m.org_id = n.org_id and m.wamid = n.wamid
          and ${withoutPruning('m.sent_at')} = n.sent_at and ${isIn('m')} and m.direction = 'out'
          and ${statusRankSql('n.status')} > coalesce(${statusRankSql('m.status')}, 0)
        returning m.org_id, m.customer_id, m.waba_phone_id, n.remote_phone_id, m.wamid, m.type, m.status, m.status_at,
          m.errors, n.errors as reported`
}
