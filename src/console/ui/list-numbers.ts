import type { Db } from '../../db/client.ts'
import { allRows, run } from '../../db/statement.ts'

/** A WABA phone to choose from. */
export type NumberName = { id: string; orgId: string; number: string }

const MAX_NUMBERS = 500

/** The first 500 numbers of these orgs, or of all. */
export function listNumbers(db: Db, orgIds: readonly string[] | undefined): Promise<NumberName[]> {
  return run(db, {
    name: 'console-numbers',
    text: `select id, org_id as "orgId", display_phone_number as number from waba_phones
      where $1::text[] is null or org_id = any($1) order by org_id, position, id limit ${MAX_NUMBERS}`,
    values: [orgIds],
    read: allRows<NumberName>,
  })
}
