import type { Statement } from '../db/statement.ts'
import { logStatuses } from '../event-log/status-sql.ts'
import { canHaveStatusSql } from '../rules/find-sent.ts'
import { statusRankSql } from '../rules/message-status.ts'
import { withoutPruning } from '../rules/without-pruning.ts'
import type { FailedMessage } from './refusals.ts'

/**
 * Applies the statuses of the last minutes whose message is in the ledger by now. The answer to a send applies those that
 * were committed before it; this one finds those that were being stored while the answer was recorded.
 * @returns how many were applied, and the messages that failed by them
 */
export function applyEarlyStatuses(): Statement<{ applied: number; failed: FailedMessage[] }> {
  return {
    name: 'apply-early-statuses',
    text: `with early as (
        delete from early_statuses e using messages m
        where e.received_at > now() - interval '3 minutes' and m.org_id = e.org_id and m.wamid = e.wamid
          and ${canHaveStatusSql('m')}
        returning e.*, m.sent_at),
      applied as (
        update messages m set status = e.status, status_at = e.status_at, errors = e.errors
        from early e where m.org_id = e.org_id and m.wamid = e.wamid and ${withoutPruning('m.sent_at')} = e.sent_at and ${canHaveStatusSql('m')}
          and m.direction = 'out'
          and ${statusRankSql('e.status')} > coalesce(${statusRankSql('m.status')}, 0)
        returning m.org_id, m.customer_id, m.wamid, m.waba_phone_id, m.type, m.status, m.status_at, m.errors),
      logged as (${logStatuses('applied')})
      select a.org_id as "orgId", a.customer_id as "customerId", a.waba_phone_id as "phoneId",
        p.remote_id as "remotePhoneId", a.type, coalesce(a.status_at, now()) as at, a.errors, a.status
      from applied a join waba_phones p on p.org_id = a.org_id and p.id = a.waba_phone_id`,
    values: [],
    read: (rows: (FailedMessage & { status: string })[]) => ({
      applied: rows.length,
      failed: rows.filter(({ status }) => status === 'failed'),
    }),
  }
}
