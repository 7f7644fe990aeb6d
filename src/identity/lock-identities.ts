import { columns, text } from '../db/columns.ts'
import { nothing, over, type Statement } from '../db/statement.ts'

const ORGS = columns<{ orgId: string }>({ org_id: text((o) => o.orgId) })

/**
 * Locks the names of these orgs until the transaction ends: the names of an org are written by one transaction at a time,
 * or two batches could give one name to two customers. It comes before any customer is locked.
 */
export function lockIdentities(orgs: { orgId: string }[]): Statement<void> {
  return over(ORGS, orgs, {
    name: 'lock-identities',
    text: `select pg_advisory_xact_lock(key) from (
      select distinct hashtextextended('identities of ' || org_id, 0) as key from ${ORGS.as('o')} order by key) keys`,
    read: nothing,
  })
}
