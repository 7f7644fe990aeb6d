import type { Db } from '../../db/client.ts'
import { allRows, run } from '../../db/statement.ts'

export type OrgName = { id: string; name: string }

const MAX_ORGS = 1_000

/** The first 1,000 by name of these orgs, or of all, to choose from. */
export function listOrgs(db: Db, orgIds: readonly string[] | undefined): Promise<OrgName[]> {
  return run(db, {
    name: 'console-orgs',
    text: `select id, name from orgs where $1::text[] is null or id = any($1) order by lower(name), id limit ${MAX_ORGS}`,
    values: [orgIds],
    read: allRows<OrgName>,
  })
}
