import { columns, text, uuid } from '../db/columns.ts'
import { allRows, over, type Statement } from '../db/statement.ts'
import type { CustomerKey } from '../identity/lock-customers.ts'
import { findSentSql } from '../rules/find-sent.ts'
import { concernsCustomer } from '../rules/meta-errors.ts'
import { type OrgStatus, outboxIdOf } from './statuses.ts'

const STATUSES = columns<OrgStatus>({
  org_id: text((s) => s.orgId),
  wamid: text((s) => s.wamid),
  id: uuid(outboxIdOf),
})

/** The customers whom the errors of these statuses concern (docs/meta.md#error-codes); they have to be locked. */
export function readRefusedCustomers(statuses: OrgStatus[]): Statement<CustomerKey[]> {
  const refused = statuses.filter(({ codes }) => concernsCustomer(codes))
  return over(STATUSES, refused, {
    name: 'read-refused-customers',
    text: `with s as (select * from ${STATUSES.as('s')})
      select m.org_id as "orgId", m.customer_id as id from s
        join ${findSentSql('s', 'm')} on m.direction = 'out'
      union
      select o.org_id, o.customer_id from s join outbox o on o.org_id = s.org_id and o.id = s.id`,
    read: allRows<CustomerKey>,
  })
}
