import type { Db } from '../../db/client.ts'
import { allRows, run } from '../../db/statement.ts'

export type StoppedNumber = { orgId: string; number: string; reason: string | null; since: Date }

const MAX_NUMBERS = 50

/** The 50 numbers of these orgs, or of all, that were stopped last. They may not send until they are provisioned with a new token. */
export function listStoppedNumbers(db: Db, orgIds: readonly string[] | undefined): Promise<StoppedNumber[]> {
  return run(db, {
    name: 'console-stopped-numbers',
    text: `select org_id as "orgId", display_phone_number as number, stopped_reason as reason, stopped_at as since
      from waba_phones where stopped_at is not null and ($1::text[] is null or org_id = any($1))
      order by stopped_at desc, id limit ${MAX_NUMBERS}`,
    values: [orgIds],
    read: allRows<StoppedNumber>,
  })
}
