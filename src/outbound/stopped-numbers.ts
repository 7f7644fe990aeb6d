import type { Db } from '../db/client.ts'
import { nothing, run, type Statement } from '../db/statement.ts'

/**
 * Stops all sends from a number until it is provisioned again, because Meta refuses its token or its account. A number
 * that has moved to another id meanwhile is not stopped: the refusal concerned the former one.
 */
export function stopNumber(org: string, remotePhoneId: string, reason: string): Statement<void> {
  return {
    name: 'stop-number',
    text: `update waba_phones set stopped_at = now(), stopped_reason = $3
      where org_id = $1 and remote_id = $2 and stopped_at is null`,
    values: [org, remotePhoneId, reason],
    read: nothing,
  }
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
