import { rowCount, type Statement } from '../db/statement.ts'
import { statusRankSql } from '../rules/message-status.ts'

/**
 * Applies the statuses of the last minutes whose message is in the ledger by now. The answer to a send applies those that
 * were committed before it; this one finds those that were being stored while the answer was recorded.
 */
export function applyEarlyStatuses(): Statement<number> {
  return {
    name: 'apply-early-statuses',
    text: `with early as (
        delete from early_statuses e using messages m
        where e.received_at > now() - interval '3 minutes' and m.org_id = e.org_id and m.wamid = e.wamid
        returning e.*)
      update messages m set status = e.status, status_at = e.status_at, errors = e.errors
      from early e where m.org_id = e.org_id and m.wamid = e.wamid and m.direction = 'out'
        and ${statusRankSql('e.status')} > coalesce(${statusRankSql('m.status')}, 0)`,
    values: [],
    read: rowCount,
  }
}
