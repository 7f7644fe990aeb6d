import type { Db } from '../db/client.ts'
import { allRows, type Statement } from '../db/statement.ts'
import type { CustomerKey } from '../identity/lock-customers.ts'
import { EXPIRES_AT, EXPIRY_IS_DUE, expiryReason } from '../rules/lifecycle.ts'
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
 * Expires the contacts that are older than their org's `expiry_days`, each with all its chatrooms, as of the due time
 * (docs/rules.md#expiry). This is final. One audit row for each contact and chatroom.
 * @param at the time to judge by; undefined: the database's clock
 * @throws what a batch throws; the batches before it stay, and the next run does the rest
 */
export async function expireOld(
  db: Db,
  at: Date | undefined,
  onProgress: OnProgress = () => undefined,
): Promise<Changes> {
  const change = (customers: CustomerKey[]) => expireContacts(at, customers)
  return sweepInBatches(db, { lock: lockCustomersToExpire(at), change }, onProgress)
}

function lockCustomersToExpire(at: Date | undefined): Statement<CustomerKey[]> {
  return {
    name: 'lock-customers-to-expire',
    text: `select due.* from orgs o
      cross join lateral (
        select k.org_id as "orgId", k.id from contacts c
        join customers k on k.org_id = c.org_id and k.id = c.customer_id
        where c.org_id = o.id and ${EXPIRY_IS_DUE}
        order by c.created_at, c.id limit ${BATCH} for update of k skip locked) due
      where o.expiry_days is not null limit ${BATCH}`,
    values: [at],
    read: allRows<CustomerKey>,
  }
}

type Expired = {
  orgId: string
  customerId: string
  contactId: string
  /** Null for the contact itself. */
  chatroomId: string | null
  was: string
  at: Date
  days: number
}

function expireContacts(at: Date | undefined, customers: CustomerKey[]): Statement<SweepEvent[]> {
  return {
    name: 'expire-contacts',
    text: `with due as materialized (
        select c.org_id, c.id, ${EXPIRES_AT} as at, o.expiry_days
        from ${LOCKED_CUSTOMERS}
        cross join lateral (select * from orgs where id = k.org_id offset 0) o
        cross join lateral (
          select * from contacts where org_id = k.org_id and customer_id = k.id offset 0) c
        where ${EXPIRY_IS_DUE}),
      due_room as materialized (
        select r.org_id, r.id, due.at, due.expiry_days from due
        cross join lateral (
          select * from chatrooms where org_id = due.org_id and contact_id = due.id offset 0) r
        where r.expired_at is null),
      contact as (
        update contacts c set expired_at = due.at from due
        where c.org_id = due.org_id and c.id = due.id
        returning c.org_id, c.customer_id, c.id, c.expired_at, due.expiry_days),
      room as (
        update chatrooms r set expired_at = due_room.at from due_room
        where r.org_id = due_room.org_id and r.id = due_room.id
        returning r.org_id, r.customer_id, r.contact_id, r.id, r.expired_at, due_room.expiry_days,
          case when r.deactivated_at is null then 'active' else 'deactivated' end as was)
      select org_id as "orgId", customer_id as "customerId", id as "contactId", null::uuid as "chatroomId",
        'living' as was, expired_at as at, expiry_days as days from contact
      union all
      select org_id, customer_id, contact_id, id, was, expired_at, expiry_days from room`,
    values: [at, ...lockedCustomers(customers)],
    isEmpty: customers.length === 0,
    read: (rows: Expired[]) => rows.map(toEvent),
  }
}

function toEvent({ chatroomId, was, at, days, ...ids }: Expired): SweepEvent {
  return {
    ...ids,
    kind: chatroomId === null ? 'contact.expired' : 'chatroom.expired',
    actor: 'sweep',
    reason: expiryReason(days),
    ...(chatroomId !== null && { chatroomId }),
    before: { state: was },
    after: { state: 'expired', at },
  }
}
