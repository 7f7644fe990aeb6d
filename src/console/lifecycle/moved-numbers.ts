import type { Db } from '../../db/client.ts'
import { allRows, run } from '../../db/statement.ts'

/** A number that Meta knew by other ids before; the latest one first. */
export type MovedNumber = {
  orgId: string
  number: string
  wabaId: string
  remoteId: string
  formerIds: string[]
  since: Date
}

const MAX_NUMBERS = 50

/** The 50 numbers that moved last, of these orgs or of all. */
export function listMovedNumbers(db: Db, orgIds: readonly string[] | undefined): Promise<MovedNumber[]> {
  return run(db, {
    name: 'console-moved-numbers',
    text: `select p.org_id as "orgId", p.display_phone_number as number, p.waba_id as "wabaId",
        p.remote_id as "remoteId", array_agg(m.id order by m.replaced_at desc, m.id) as "formerIds",
        max(m.replaced_at) as since
      from meta_objects m
      join waba_phones p on p.org_id = m.org_id and p.id = coalesce(m.waba_phone_id, m.id)
      where m.kind = 'phone' and m.replaced_at is not null and ($1::text[] is null or m.org_id = any($1))
      group by p.org_id, p.id order by since desc, p.org_id, p.id limit ${MAX_NUMBERS}`,
    values: [orgIds],
    read: allRows<MovedNumber>,
  })
}
