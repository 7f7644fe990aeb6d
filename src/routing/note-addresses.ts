import { columns, text, timestamptz, uuid } from '../db/columns.ts'
import { allRows, over, type Statement } from '../db/statement.ts'
import type { LoggedEvent } from '../event-log/log-events.ts'
import type { SeenAddress } from './seen-addresses.ts'

const ADDRESSES = columns<SeenAddress>({
  org_id: text((a) => a.orgId),
  id: uuid((a) => a.customerId),
  wa_id: text((a) => a.waId),
  at: timestamptz((a) => a.at),
})

/**
 * Remembers where customers are reached: the `wa_id` of the latest message by Meta's time, or the one that a change of
 * numbers named since. A late message changes nothing. Only a change is written. The customers must be locked, and the times
 * of their chatrooms must not include these messages yet.
 * @returns the events of customers who have another address now
 */
export function noteAddresses(seen: SeenAddress[]): Statement<LoggedEvent[]> {
  return over(ADDRESSES, seen, {
    name: 'note-addresses',
    text: `with a as (
        select distinct on (org_id, id) * from ${ADDRESSES.as('a', { ordinality: 'place' })}
        order by org_id, id, at desc, place desc),
      changed as (
        update customers c set wa_id = a.wa_id, wa_id_at = a.at
        from a where c.org_id = a.org_id and c.id = a.id and c.wa_id is distinct from a.wa_id
          and (c.wa_id_at is null or c.wa_id_at <= a.at)
          and not exists (
            select from chatrooms r where r.org_id = a.org_id and r.customer_id = a.id and r.last_inbound_at > a.at)
        returning c.org_id, c.id, c.wa_id)
      select n.org_id as "orgId", 'customer.address_changed' as type, n.id as "customerId",
        json_build_object('wa_id', n.wa_id, 'former_wa_id', o.wa_id) as data
      from changed n cross join lateral (
        select wa_id from customers where org_id = n.org_id and id = n.id offset 0) o
      where o.wa_id is not null`,
    read: allRows<LoggedEvent>,
  })
}
