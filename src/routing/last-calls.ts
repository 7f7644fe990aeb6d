import { columns, text, timestamptz, uuid } from '../db/columns.ts'
import { nothing, over, type Statement } from '../db/statement.ts'

/** A customer called a number (`waba_phones.id`) at that time. */
export type CustomerCall = { orgId: string; customerId: string; phoneId: string; at: Date }

const CALLS = columns<CustomerCall>({
  org_id: text((c) => c.orgId),
  customer_id: uuid((c) => c.customerId),
  phone_id: text((c) => c.phoneId),
  at: timestamptz((c) => c.at),
})

/** Remembers the last call of customers, which opens their window. The customers must be locked. */
export function noteCalls(calls: CustomerCall[]): Statement<void> {
  return over(CALLS, calls, {
    name: 'note-calls',
    text: `insert into last_calls as l (org_id, customer_id, waba_phone_id, called_at)
      select org_id, customer_id, phone_id, max(at) from ${CALLS.as('c')} group by 1, 2, 3
      on conflict (org_id, customer_id, waba_phone_id) do update
        set called_at = greatest(l.called_at, excluded.called_at)`,
    read: nothing,
  })
}
