import { columns, text, timestamptz, uuid } from '../db/columns.ts'
import { allRows, over, type Statement } from '../db/statement.ts'
import type { LoggedEvent } from '../event-log/log-events.ts'

/** A customer called a number (`waba_phones.id`) at that time. */
export type CustomerCall = { orgId: string; customerId: string; phoneId: string; at: Date }

const CALLS = columns<CustomerCall>({
  org_id: text((c) => c.orgId),
  customer_id: uuid((c) => c.customerId),
  phone_id: text((c) => c.phoneId),
  at: timestamptz((c) => c.at),
})

/**
 * Remembers the last call of customers, which opens their window. The customers must be locked.
 * @returns the events of calls that are later than those known
 */
export function noteCalls(calls: CustomerCall[]): Statement<LoggedEvent[]> {
  return over(CALLS, calls, {
    name: 'note-calls',
    text: `with noted as (
        insert into last_calls as l (org_id, customer_id, waba_phone_id, called_at)
        select org_id, customer_id, phone_id, max(at) from ${CALLS.as('c')} group by 1, 2, 3
        on conflict (org_id, customer_id, waba_phone_id) do update set called_at = excluded.called_at
          where l.called_at < excluded.called_at
        returning l.org_id, l.customer_id, l.waba_phone_id, l.called_at)
      select n.org_id as "orgId", 'customer.called' as type, n.customer_id as "customerId",
        json_build_object('remote_phone_id', p.remote_id, 'at', n.called_at) as data
      from noted n join waba_phones p on p.org_id = n.org_id and p.id = n.waba_phone_id`,
    read: allRows<LoggedEvent>,
  })
}
