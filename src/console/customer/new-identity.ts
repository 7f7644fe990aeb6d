import type { Db } from '../../db/client.ts'
import { firstRow, run } from '../../db/statement.ts'

/** Since when, and why, another person may write under the names of a customer. */
export type NewIdentity = { at: Date; reason: string | null }

const SEARCHED = 1_000

/** The latest sign that another person writes, among the latest 1,000 events of the customer. */
export function readNewIdentity(db: Db, orgId: string, customerId: string): Promise<NewIdentity | undefined> {
  return run(db, {
    name: 'console-new-identity',
    text: `select created_at as at, reason from (
        select id, kind, reason, created_at from events where org_id = $1 and customer_id = $2
        order by id desc limit ${SEARCHED}) e
      where kind = 'customer.new_identity' order by id desc limit 1`,
    values: [orgId, customerId],
    read: firstRow<NewIdentity>,
  })
}
