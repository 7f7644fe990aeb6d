import type { Db } from '../../db/client.ts'
import { allRows, run } from '../../db/statement.ts'

export type OrgName = { id: string; name: string }

const MAX_ORGS = 1_000

/** The first 1,000 orgs by name, for the operator to choose from. */
export function listOrgs(db: Db): Promise<OrgName[]> {
  return run(db, {
    name: 'console-orgs',
    text: `select id, name from orgs order by lower(name), id limit ${MAX_ORGS}`,
    values: [],
    read: allRows<OrgName>,
  })
}
