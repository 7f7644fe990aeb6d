import { AT_ONCE } from '../db/at-once.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import { allRows, nothing, type Statement } from '../db/statement.ts'
import { logSent, logStatuses } from '../event-log/status-sql.ts'
import { isOfSendSql } from '../rules/ledger-months.ts'
import { statusRankSql } from '../rules/message-status.ts'
import { provisionalWamid } from '../rules/provisional-wamid.ts'
import { PAIR_IS_LOCKED, PAIR_OF_ROW } from './lock-pairs.ts'
import type { Send } from './read-send.ts'
import type { FailedMessage } from './refusals.ts'
import type { ShownError } from './send-errors.ts'

/** A send that ends; `createdAt` tells in which months its message can be. */
type SendKey = Pick<Send, 'org' | 'id' | 'createdAt'>

/**
 * Meta accepted the message, which gets its real wamid in the ledger, and the status that came before this answer. The row
 * may have become `unknown` meanwhile, when the claim ended before the answer was recorded. A status webhook may have
 * recorded the same, and logged that the message was sent: the message then has its wamid, and takes the earlier status
 * only if that is further. `notice` is what Meta says besides.
 * @returns the message, if it had failed by that status
 */
export function markSent(
  { org, id, createdAt, remotePhoneId }: SendKey & Pick<Send, 'remotePhoneId'>,
  wamid: string,
  notice?: ShownError,
): Statement<FailedMessage[]> {
  return {
    name: 'mark-sent',
    text: `with ${PAIR_OF_ROW},
      sent as (
        update outbox set state = 'sent', wamid = $3, error = null
        where org_id = $1 and id = $2 and state in ('sending', 'unknown') and ${PAIR_IS_LOCKED} returning id),
      early as (delete from early_statuses where org_id = $1 and wamid = $3 returning status, status_at, errors),
      named as (
        update messages m set wamid = $3, status = coalesce(e.status, m.status),
          status_at = coalesce(e.status_at, m.status_at),
          errors = coalesce(e.errors, case when e.status is null or e.status = 'sent' then $5::json end)
        from (select) as one left join early e on true
        where ${PAIR_IS_LOCKED} and m.org_id = $1 and m.wamid in ($3, $4)
          and ${isOfSendSql('m.sent_at', '$7::timestamptz')}
          and (m.wamid = $4 or ${statusRankSql('e.status')} > coalesce(${statusRankSql('m.status')}, 0))
        returning m.org_id, m.wamid, m.customer_id, m.waba_phone_id, m.type, m.status_at, e.status, e.errors),
      logged as (${logSent('named', 'exists (select from sent)')})
      select org_id as "orgId", customer_id as "customerId", waba_phone_id as "phoneId", $6::text as "remotePhoneId",
        type, coalesce(status_at, now()) as at, errors
      from named where status = 'failed'`,
    values: [
      org,
      id,
      wamid,
      provisionalWamid(id),
      notice ? JSON.stringify([notice]) : null,
      remotePhoneId,
      createdAt,
    ],
    read: allRows<FailedMessage>,
  }
}

/** Meta certainly did not accept try number `attempts`; the message is due again after `waitMs`. */
export function requeueSend(
  { org, id }: OutboxRow,
  attempts: number,
  error: string,
  waitMs: number,
): Statement<void> {
  return {
    name: 'requeue-send',
    text: `with ${PAIR_OF_ROW}
      update outbox set state = 'queued', error = $3, due_at = now() + $4 * interval '1 millisecond'
      where org_id = $1 and id = $2 and state = 'sending' and attempts = $5 and ${PAIR_IS_LOCKED}`,
    values: [org, id, error, waitMs, attempts],
    read: nothing,
  }
}

/** The request was never made, so the try does not count. */
export function releaseSend({ org, id }: OutboxRow, attempts: number, error: string): Statement<void> {
  return {
    name: 'release-send',
    text: `with ${PAIR_OF_ROW}
      update outbox set state = 'queued', error = $4, due_at = ${AT_ONCE}, attempts = $3 - 1, claimed_at = null
      where org_id = $1 and id = $2 and state = 'sending' and attempts = $3 and ${PAIR_IS_LOCKED}`,
    values: [org, id, attempts, error],
    read: nothing,
  }
}

/** The message failed for good, or its outcome is unknown; either way `shown` is shown in the chatroom's messages. */
export function markEnded(
  { org, id, createdAt }: SendKey,
  state: 'failed' | 'unknown',
  error: string,
  shown: ShownError = { title: error },
): Statement<void> {
  return {
    name: 'mark-ended',
    text: `with ${PAIR_OF_ROW},
      ended as (
        update outbox set state = $3, error = $4
        where org_id = $1 and id = $2 and state in ('queued', 'sending') and ${PAIR_IS_LOCKED}
        returning org_id, id),
      shown as (
        update messages m set errors = $6::json,
          status = case when $3 = 'failed' then 'failed' else m.status end, status_at = now()
        from ended where m.org_id = ended.org_id and m.wamid = $5 and ${isOfSendSql('m.sent_at', '$7::timestamptz')}
        returning m.org_id, m.customer_id, m.wamid, $3 as status, m.status_at, m.errors)
      ${logStatuses('shown')}`,
    values: [org, id, state, error, provisionalWamid(id), JSON.stringify([shown]), createdAt],
    read: nothing,
  }
}
