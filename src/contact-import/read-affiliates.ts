import { columns, text, uuid } from '../db/columns.ts'
import { over, type Statement } from '../db/statement.ts'

type Key = { orgId: string; customerId: string }

const KEYS = columns<Key>({ org_id: text((k) => k.orgId), customer_id: uuid((k) => k.customerId) })

/** Which of these customers of an org are affiliates, who have exactly one contact, also after it has expired. */
export function readAffiliates(orgId: string, customerIds: string[]): Statement<Set<string>> {
  const keys = customerIds.map((customerId) => ({ orgId, customerId }))
  return over(KEYS, keys, {
    name: 'read-affiliates',
    text: `select c.customer_id as id from ${KEYS.as('k')}
      join contacts c on c.org_id = k.org_id and c.customer_id = k.customer_id and c.is_affiliate`,
    read: (rows: { id: string }[]) => new Set(rows.map(({ id }) => id)),
  })
}
