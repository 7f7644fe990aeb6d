import { NIL } from 'uuid'
import type { Db } from '../db/client.ts'
import { EXPIRES_AT, EXPIRY_IS_DUE, expiryReason } from '../rules/lifecycle.ts'
import type { Changes } from './changes.ts'
import type { CustomerKey } from './lock-free-customers.ts'
import {
  BATCH,
  type OnProgress,
  type Picked,
  type Place,
  type SweepEvent,
  sweepInBatches,
} from './sweep-in-batches.ts'

/**
 * Expires the contacts that are older than their org's `expiry_days`, each whole, with all its chatrooms, as of its
 * due time (spec: lifecycle.md, "Expire a Contact & Chatroom"). Final. One audit row for each contact and chatroom.
 * @param at the time to judge by; undefined = the database's clock
 * @throws what a batch throws; the batches before it stay, and the next run does the rest.
 */
export async function expireOld(
  db: Db,
  at: Date | undefined,
  onProgress: OnProgress = () => undefined,
): Promise<Changes> {
  return sweepInBatches(
    db,
    {
      pick: (tx, after) => pickContacts(tx, at, after),
      change: (tx, customers) => expireContacts(tx, at, customers),
    },
    onProgress,
  )
}

async function pickContacts(tx: Db, at: Date | undefined, after: Place): Promise<Picked[]> {
  const { rows } = await tx.$client.query<Picked>({
    name: 'pick-contacts-to-expire',
    text: `select p.org_id as "orgId", p.customer_id as "customerId", p.created_at::text as key, p.id
      from (select * from orgs where expiry_days is not null and id >= $2 order by id offset 0) o
      cross join lateral (
        select c.org_id, c.customer_id, c.created_at, c.id from contacts c
        where c.org_id = o.id and ${EXPIRY_IS_DUE}
          and (c.created_at, c.id) > (
            case when o.id = $2 then $3::timestamptz else '-infinity' end,
            case when o.id = $2 then $4::uuid else '${NIL}' end)
        order by c.created_at, c.id limit ${BATCH}) p
      limit ${BATCH}`,
    values: [at, after.orgId, after.key, after.id],
  })
  return rows
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

async function expireContacts(tx: Db, at: Date | undefined, customers: CustomerKey[]): Promise<SweepEvent[]> {
  const { rows } = await tx.$client.query<Expired>({
    name: 'expire-contacts',
    text: `with due as materialized (
        select c.org_id, c.id, ${EXPIRES_AT} as at, o.expiry_days
        from unnest($2::text[], $3::uuid[]) as k(org_id, id)
        cross join lateral (select * from orgs o where o.id = k.org_id offset 0) o
        cross join lateral (
          select * from contacts c where c.org_id = k.org_id and c.customer_id = k.id offset 0) c
        where ${EXPIRY_IS_DUE}),
      due_room as materialized (
        select r.org_id, r.id, due.at, due.expiry_days from due
        cross join lateral (
          select * from chatrooms r where r.org_id = due.org_id and r.contact_id = due.id offset 0) r
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
    values: [at, customers.map((c) => c.orgId), customers.map((c) => c.customerId)],
  })
  return rows.map(toEvent)
}

function toEvent({ orgId, customerId, contactId, chatroomId, was, at, days }: Expired): SweepEvent {
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
