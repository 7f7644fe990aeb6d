import type { Columns } from '../db/columns.ts'
import { nothing, over, type Statement } from '../db/statement.ts'
import { findSentSql } from '../rules/find-sent.ts'
import { statusRankSql } from '../rules/message-status.ts'

/** Keeps the statuses of messages that the ledger does not know; `columns` are those of a status. */
export function keepEarlyStatuses<T>(columns: Columns<T>, statuses: T[]): Statement<void> {
  return over(columns, statuses, {
    name: 'keep-early-statuses',
    text: `insert into early_statuses as e (org_id, wamid, status, status_at, errors)
      select distinct on (u.org_id, u.wamid) u.org_id, u.wamid, u.status, u.at, u.errors from ${columns.as('u')}
      left join ${findSentSql('u', 'f')} on true
      where ${statusRankSql('u.status')} is not null and f.wamid is null
      order by u.org_id, u.wamid, ${statusRankSql('u.status')} desc
      on conflict (org_id, wamid) do update
        set status = excluded.status, status_at = excluded.status_at, errors = excluded.errors
        where ${statusRankSql('excluded.status')} > ${statusRankSql('e.status')}`,
    read: nothing,
  })
}
