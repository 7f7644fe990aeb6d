import type { Db } from '../db/client.ts'
import type { Changes } from './changes.ts'
import { EXPIRES_AT, IS_EXPIRING } from './due.ts'
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

/** The `limit` inside keeps a batch from reading all of an org that has more; the index gives the order. */
async function pickContacts(tx: Db, at: Date | undefined, after: Place): Promise<Picked[]> {
  const { rows } = await tx.$client.query<Picked>({
    name: 'pick-contacts-to-expire',
    text: `select p.org_id as "orgId", p.customer_id as "customerId", p.created_at::text as key, p.id
      from orgs o
      cross join lateral (
        select c.org_id, c.customer_id, c.created_at, c.id from contacts c
        where c.org_id = o.id and ${IS_EXPIRING}
          and (c.created_at, c.id) > (
            case when o.id = $2 then $3::timestamptz else '-infinity' end,
            case when o.id = $2 then $4::uuid else '00000000-0000-0000-0000-000000000000' end)
        order by c.created_at, c.id limit ${BATCH}) p
      where o.expiry_days is not null and o.id >= $2
      order by o.id, p.created_at, p.id limit ${BATCH}`,
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
    text: `with contact as (
        update contacts c set expired_at = ${EXPIRES_AT}
        from unnest($2::text[], $3::uuid[]) as k(org_id, id), orgs o
        where c.org_id = k.org_id and c.customer_id = k.id and o.id = k.org_id and ${IS_EXPIRING}
        returning c.org_id, c.customer_id, c.id, c.expired_at, o.expiry_days),
      room as (
        update chatrooms r set expired_at = contact.expired_at from contact
        where r.org_id = contact.org_id and r.contact_id = contact.id and r.expired_at is null
        returning r.org_id, r.customer_id, r.contact_id, r.id, r.expired_at, contact.expiry_days,
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
    reason: `contact older than ${days} days`,
    customerId,
    contactId,
    ...(chatroomId !== null && { chatroomId }),
    before: { state: was },
    after: { state: 'expired', at },
  }
}
