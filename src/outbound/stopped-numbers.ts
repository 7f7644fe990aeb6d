import type { Db } from '../db/client.ts'
import { columns, text, timestamptz } from '../db/columns.ts'
import { nothing, over, run, type Statement } from '../db/statement.ts'
import { logSql } from '../event-log/log-events.ts'
import { POSITION_OF_ROW } from '../event-log/position.ts'

/** Meta refused the token or the account of a number, at that time or later. */
type StoppedNumber = { orgId: string; remotePhoneId: string; at: Date; reason: string }

const NUMBERS = columns<StoppedNumber>({
  org_id: text((n) => n.orgId),
  remote_id: text((n) => n.remotePhoneId),
  at: timestamptz((n) => n.at),
  reason: text((n) => n.reason),
})

const STOPPED = `select org_id, 'number.stopped' as type,
    json_build_object('remote_phone_id', remote_id, 'reason', stopped_reason) as data from stopped`

/**
 * Stops all sends from numbers until they are provisioned again, because Meta refuses their token or their account. A
 * number that has moved to another id, or has been provisioned, since the refusal is not stopped: the refusal concerned
 * the former id or token.
 */
export function stopNumbers(numbers: StoppedNumber[]): Statement<void> {
  return over(NUMBERS, numbers, {
    name: 'stop-numbers',
    text: `with stopped as (
        update waba_phones p set stopped_at = now(), stopped_reason = n.reason
        from (select distinct on (org_id, remote_id) * from ${NUMBERS.as('n')} order by org_id, remote_id, at desc) n
        where p.org_id = n.org_id and p.remote_id = n.remote_id and p.stopped_at is null
          and (p.resumed_at is null or p.resumed_at < n.at)
        returning p.org_id, p.remote_id, p.stopped_reason)
      ${logSql(`(${STOPPED}) as s`, 'org_id, type, data', POSITION_OF_ROW)}`,
    read: nothing,
  })
}

/** The number of stopped numbers in all orgs. */
export function countStoppedNumbers(db: Db): Promise<number> {
  return run(db, {
    name: 'count-stopped-numbers',
    text: 'select count(*)::int as count from waba_phones where stopped_at is not null',
    values: [],
    read: ([row]: { count: number }[]) => row?.count ?? 0,
  })
}
