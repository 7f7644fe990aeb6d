import type { Db } from '../db/client.ts'
import { allRows, type Statement } from '../db/statement.ts'
import type { CustomerKey } from '../identity/lock-customers.ts'
import { DEACTIVATES_AT, DEACTIVATION_IS_DUE, INACTIVITY_REASON } from '../rules/lifecycle.ts'
import { bringActivityForward } from './bring-forward.ts'
import type { Changes } from './changes.ts'
import {
  BATCH,
  LOCKED_CUSTOMERS,
  lockedCustomers,
  type OnProgress,
  type SweepEvent,
  sweepInBatches,
} from './sweep-in-batches.ts'

/**
 * Deactivates the chatrooms that are inactive for their org's `inactivity_days`, as of the due time
 * (docs/rules.md#deactivation), except those whose contact is due for expiry. One audit row for each chatroom.
 * @param at the time to judge by; undefined: the database's clock
 * @throws what a batch throws; the batches before it stay, and the next run does the rest
 */
export async function deactivateInactive(
  db: Db,
  at: Date | undefined,
  onProgress: OnProgress = () => undefined,
): Promise<Changes> {
  const change = (customers: CustomerKey[]) => deactivateChatrooms(at, customers)
  const changes = await sweepInBatches(db, { lock: lockInactiveCustomers(at), change }, onProgress)
  await bringActivityForward(db, at)
  return changes
}

/** The contact of the chatroom `r`, as `c`. */
const ITS_CONTACT = `lateral (
          select * from contacts where org_id = r.org_id and id = r.contact_id offset 0) c`

function lockInactiveCustomers(at: Date | undefined): Statement<CustomerKey[]> {
  return {
    name: 'lock-inactive-customers',
    text: `select due.* from orgs o
      cross join lateral (
        select k.org_id as "orgId", k.id from chatrooms r
        cross join ${ITS_CONTACT}
        join customers k on k.org_id = r.org_id and k.id = r.customer_id
        where r.org_id = o.id and ${DEACTIVATION_IS_DUE}
        order by r.activity_day, r.id limit ${BATCH} for update of k skip locked) due
      where o.inactivity_days is not null limit ${BATCH}`,
    values: [at],
    read: allRows<CustomerKey>,
  }
}

type Deactivated = { orgId: string; customerId: string; contactId: string; chatroomId: string; at: Date }

function deactivateChatrooms(at: Date | undefined, customers: CustomerKey[]): Statement<SweepEvent[]> {
  return {
    name: 'deactivate-chatrooms',
    text: `with due as materialized (
        select r.org_id, r.id, ${DEACTIVATES_AT} as at
        from ${LOCKED_CUSTOMERS}
        cross join lateral (select * from orgs where id = k.org_id offset 0) o
        cross join lateral (
          select * from chatrooms where org_id = k.org_id and customer_id = k.id offset 0) r
        cross join ${ITS_CONTACT}
        where ${DEACTIVATION_IS_DUE})
      update chatrooms r set deactivated_at = due.at, deactivation_reason = '${INACTIVITY_REASON}' from due
      where r.org_id = due.org_id and r.id = due.id
      returning r.org_id as "orgId", r.customer_id as "customerId", r.contact_id as "contactId",
        r.id as "chatroomId", r.deactivated_at as at`,
    values: [at, ...lockedCustomers(customers)],
    isEmpty: customers.length === 0,
    read: (rows: Deactivated[]) => rows.map(toEvent),
  }
}

function toEvent({ at, ...ids }: Deactivated): SweepEvent {
  return {
    ...ids,
    kind: 'chatroom.deactivated',
    actor: 'sweep',
    reason: INACTIVITY_REASON,
    before: { state: 'active' },
    after: { state: 'deactivated', at },
  }
}
