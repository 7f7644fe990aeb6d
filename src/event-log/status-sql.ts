import { logSql } from './log-events.ts'
import { POSITION_OF_ROW } from './position.ts'

const NAMES = 'org_id, type, customer_id, wamid, data'

/**
 * SQL: logs the statuses of messages that the statement has changed. `rows` is a relation with org_id, customer_id, wamid,
 * status (null: no event), status_at and errors.
 */
export function logStatuses(rows: string): string {
  return logSql(`(${statusesOf(rows)}) as s`, NAMES, POSITION_OF_ROW)
}

/**
 * SQL: the same for messages that Meta has taken: first that they were sent, if `isNews` is true in SQL, then the status,
 * if there is one.
 */
export function logSent(rows: string, isNews: string): string {
  const sent = `select org_id, 'message.sent' as type, customer_id, wamid, null::json as data from ${rows}
    where ${isNews}`
  return logSql(`(${sent} union all ${statusesOf(rows)}) as s`, NAMES, POSITION_OF_ROW)
}

function statusesOf(rows: string): string {
  return `select org_id, 'message.status' as type, customer_id, wamid,
      json_build_object('status', status, 'at', status_at, 'errors', errors) as data
    from ${rows} where status is not null`
}
