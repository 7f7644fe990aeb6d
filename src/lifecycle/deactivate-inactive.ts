import type { Db } from '../db/client.ts'
import { columns, uuid } from '../db/columns.ts'
import { allRows, type Statement } from '../db/statement.ts'
import { DEACTIVATES_AT, DEACTIVATION_IS_DUE, INACTIVITY_REASON } from '../rules/lifecycle.ts'
import { bringActivityForward } from './bring-forward.ts'
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
  const sweep = {
    dueOrgs: readDueOrgs(at),
    pick: (orgId: string, after: Place) => pickChatrooms(at, orgId, after),
    change: (orgId: string, customerIds: string[]) => deactivateChatrooms(at, orgId, customerIds),
  }
  const changes = await sweepInBatches(db, sweep, onProgress)
  await bringActivityForward(db, at)
  return changes
}

/** Chatrooms `r` of the org `o`, with their contact `c`. */
const WITH_CONTACT = `chatrooms r
  cross join lateral (select * from contacts where org_id = r.org_id and id = r.contact_id offset 0) c`

function readDueOrgs(at: Date | undefined): Statement<string[]> {
  return {
    name: 'read-orgs-to-deactivate-in',
    text: `select o.id from orgs o
      cross join lateral (
        select from ${WITH_CONTACT} where r.org_id = o.id and ${DEACTIVATION_IS_DUE} limit 1) due
      where o.inactivity_days is not null order by o.id`,
    values: [at],
    read: (rows: { id: string }[]) => rows.map(({ id }) => id),
  }
}

function pickChatrooms(at: Date | undefined, orgId: string, after: Place): Statement<Picked[]> {
  return {
    name: 'pick-chatrooms-to-deactivate',
    text: `select due.* from orgs o
      cross join lateral (
        select r.customer_id as "customerId", r.activity_day::text as key, r.id from ${WITH_CONTACT}
        where r.org_id = o.id and ${DEACTIVATION_IS_DUE} and (r.activity_day, r.id) > ($3::date, $4::uuid)
        order by r.activity_day, r.id limit ${BATCH}) due
      where o.id = $2`,
    values: [at, orgId, after.key, after.id],
    read: allRows<Picked>,
  }
}

type Deactivated = { customerId: string; contactId: string; chatroomId: string; at: Date }

const CUSTOMERS = columns<string>({ id: uuid((id) => id) })

function deactivateChatrooms(
  at: Date | undefined,
  orgId: string,
  customerIds: string[],
): Statement<SweepEvent[]> {
  return {
    name: 'deactivate-chatrooms',
    text: `with due as materialized (
        select r.id, ${DEACTIVATES_AT} as at
        from ${CUSTOMERS.as('k', { first: 3 })}
        cross join lateral (select * from orgs where id = $2 offset 0) o
        cross join lateral (
          select * from chatrooms where org_id = $2 and customer_id = k.id offset 0) r
        cross join lateral (
          select * from contacts where org_id = $2 and id = r.contact_id offset 0) c
        where ${DEACTIVATION_IS_DUE})
      update chatrooms r set deactivated_at = due.at, deactivation_reason = '${INACTIVITY_REASON}' from due
      where r.org_id = $2 and r.id = due.id
      returning r.customer_id as "customerId", r.contact_id as "contactId", r.id as "chatroomId",
        r.deactivated_at as at`,
    values: [at, orgId, ...CUSTOMERS.values(customerIds)],
    isEmpty: customerIds.length === 0,
    read: (rows: Deactivated[]) => rows.map((row) => toEvent(orgId, row)),
  }
}

function toEvent(orgId: string, { at, ...ids }: Deactivated): SweepEvent {
  return {
    ...{ orgId, ...ids },
    kind: 'chatroom.deactivated',
    actor: 'sweep',
    reason: INACTIVITY_REASON,
    before: { state: 'active' },
    after: { state: 'deactivated', at },
  }
}
