import { NIL } from 'uuid'
import type { Db } from '../db/client.ts'
import { DEACTIVATES_AT, DEACTIVATION_IS_DUE, INACTIVITY_REASON } from '../rules/lifecycle.ts'
import { bringActivityForward } from './bring-forward.ts'
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
 * Deactivates the chatrooms whose customers have not written for their org's `inactivity_days`, as of the due time
 * (spec: lifecycle.md, "How do I deactivate a Chatroom?"); who never wrote counts from the activation. Leaves alone
 * what is due for expiry. One audit row for each chatroom.
 * @param at the time to judge by; undefined = the database's clock
 * @throws what a batch throws; the batches before it stay, and the next run does the rest.
 */
export async function deactivateInactive(
  db: Db,
  at: Date | undefined,
  onProgress: OnProgress = () => undefined,
): Promise<Changes> {
  const changes = await sweepInBatches(
    db,
    {
      pick: (tx, after) => pickChatrooms(tx, at, after),
      change: (tx, customers) => deactivateChatrooms(tx, at, customers),
    },
    onProgress,
  )
  await bringActivityForward(db, at)
  return changes
}

async function pickChatrooms(tx: Db, at: Date | undefined, after: Place): Promise<Picked[]> {
  const { rows } = await tx.$client.query<Picked>({
    name: 'pick-chatrooms-to-deactivate',
    text: `select p.org_id as "orgId", p.customer_id as "customerId", p.activity_day::text as key, p.id
      from (select * from orgs where inactivity_days is not null and id >= $2 order by id offset 0) o
      cross join lateral (
        select r.org_id, r.customer_id, r.activity_day, r.id
        from chatrooms r
        cross join lateral (
          select * from contacts c where c.org_id = r.org_id and c.id = r.contact_id offset 0) c
        where r.org_id = o.id and ${DEACTIVATION_IS_DUE}
          and (r.activity_day, r.id) > (
            case when o.id = $2 then $3::date else '-infinity' end,
            case when o.id = $2 then $4::uuid else '${NIL}' end)
        order by r.activity_day, r.id limit ${BATCH}) p
      limit ${BATCH}`,
    values: [at, after.orgId, after.key, after.id],
  })
  return rows
}

type Deactivated = { orgId: string; customerId: string; contactId: string; chatroomId: string; at: Date }

async function deactivateChatrooms(
  tx: Db,
  at: Date | undefined,
  customers: CustomerKey[],
): Promise<SweepEvent[]> {
  const { rows } = await tx.$client.query<Deactivated>({
    name: 'deactivate-chatrooms',
    text: `with due as materialized (
        select r.org_id, r.id, ${DEACTIVATES_AT} as at
        from unnest($2::text[], $3::uuid[]) as k(org_id, id)
        cross join lateral (select * from orgs o where o.id = k.org_id offset 0) o
        cross join lateral (
          select * from chatrooms r where r.org_id = k.org_id and r.customer_id = k.id offset 0) r
        cross join lateral (
          select * from contacts c where c.org_id = r.org_id and c.id = r.contact_id offset 0) c
        where ${DEACTIVATION_IS_DUE})
      update chatrooms r set deactivated_at = due.at, deactivation_reason = '${INACTIVITY_REASON}' from due
      where r.org_id = due.org_id and r.id = due.id
      returning r.org_id as "orgId", r.customer_id as "customerId", r.contact_id as "contactId",
        r.id as "chatroomId", r.deactivated_at as at`,
    values: [at, customers.map((c) => c.orgId), customers.map((c) => c.customerId)],
  })
  return rows.map(({ at: since, ...ids }) => ({
    ...ids,
    kind: 'chatroom.deactivated',
    actor: 'sweep',
    reason: INACTIVITY_REASON,
    before: { state: 'active' },
    after: { state: 'deactivated', at: since },
  }))
}
