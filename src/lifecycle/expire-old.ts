import type { Db } from '../db/client.ts'
import { columns, uuid } from '../db/columns.ts'
import { allRows, type Statement } from '../db/statement.ts'
import { EXPIRES_AT, EXPIRY_IS_DUE, expiryReason } from '../rules/lifecycle.ts'
import type { Changes } from './changes.ts'
import {
  BATCH,
  type OnProgress,
  type Picked,
  type Place,
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
  const sweep = {
    dueOrgs: readDueOrgs(at),
    pick: (orgId: string, after: Place) => pickContacts(at, orgId, after),
    change: (orgId: string, customerIds: string[]) => expireContacts(at, orgId, customerIds),
  }
  return sweepInBatches(db, sweep, onProgress)
}

function readDueOrgs(at: Date | undefined): Statement<string[]> {
  return {
    name: 'read-orgs-to-expire-in',
    text: `select o.id from orgs o
      cross join lateral (select from contacts c where c.org_id = o.id and ${EXPIRY_IS_DUE} limit 1) due
      where o.expiry_days is not null order by o.id`,
    values: [at],
    read: (rows: { id: string }[]) => rows.map(({ id }) => id),
  }
}

function pickContacts(at: Date | undefined, orgId: string, after: Place): Statement<Picked[]> {
  return {
    name: 'pick-contacts-to-expire',
    text: `select due.* from orgs o
      cross join lateral (
        select c.customer_id as "customerId", c.created_at::text as key, c.id from contacts c
        where c.org_id = o.id and ${EXPIRY_IS_DUE} and (c.created_at, c.id) > ($3::timestamptz, $4::uuid)
        order by c.created_at, c.id limit ${BATCH}) due
      where o.id = $2`,
    values: [at, orgId, after.key, after.id],
    read: allRows<Picked>,
  }
}

type Expired = {
  customerId: string
  contactId: string
  /** Null for the contact itself. */
  chatroomId: string | null
  was: string
  at: Date
  days: number
}

const CUSTOMERS = columns<string>({ id: uuid((id) => id) })

function expireContacts(at: Date | undefined, orgId: string, customerIds: string[]): Statement<SweepEvent[]> {
  return {
    name: 'expire-contacts',
    text: `with due as materialized (
        select c.id, ${EXPIRES_AT} as at, o.expiry_days
        from ${CUSTOMERS.as('k', { first: 3 })}
        cross join lateral (select * from orgs where id = $2 offset 0) o
        cross join lateral (
          select * from contacts where org_id = $2 and customer_id = k.id offset 0) c
        where ${EXPIRY_IS_DUE}),
      due_room as materialized (
        select r.id, due.at, due.expiry_days from due
        cross join lateral (
          select * from chatrooms where org_id = $2 and contact_id = due.id offset 0) r
        where r.expired_at is null),
      contact as (
        update contacts c set expired_at = due.at from due where c.org_id = $2 and c.id = due.id
        returning c.customer_id, c.id, c.expired_at, due.expiry_days),
      room as (
        update chatrooms r set expired_at = due_room.at from due_room where r.org_id = $2 and r.id = due_room.id
        returning r.customer_id, r.contact_id, r.id, r.expired_at, due_room.expiry_days,
          case when r.deactivated_at is null then 'active' else 'deactivated' end as was)
      select customer_id as "customerId", id as "contactId", null::uuid as "chatroomId", 'living' as was,
        expired_at as at, expiry_days as days from contact
      union all
      select customer_id, contact_id, id, was, expired_at, expiry_days from room`,
    values: [at, orgId, ...CUSTOMERS.values(customerIds)],
    isEmpty: customerIds.length === 0,
    read: (rows: Expired[]) => rows.map((row) => toEvent(orgId, row)),
  }
}

function toEvent(orgId: string, { customerId, contactId, chatroomId, was, at, days }: Expired): SweepEvent {
  return {
    orgId,
    kind: chatroomId === null ? 'contact.expired' : 'chatroom.expired',
    actor: 'sweep',
    reason: expiryReason(days),
    customerId,
    contactId,
    ...(chatroomId !== null && { chatroomId }),
    before: { state: was },
    after: { state: 'expired', at },
  }
}
