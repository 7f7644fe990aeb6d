import { allRows, nothing, type Statement } from '../db/statement.ts'
import { PREFERRED_FIRST } from '../rules/latest.ts'

/** The number `otherId` joins the number `phoneId` (`waba_phones.id`). */
export type Merge = { orgId: string; phoneId: string; otherId: string }

/** How many chatrooms and messages joined the other number. */
export type Merged = { chatrooms: number; messages: number }

/** Routing waits while rows are rewritten, so they are few. */
export const MAX_ROWS = 10_000

/** The rows of a number: the ids of its chatrooms, how many rows in all (up to one above the limit), and the customers. */
type Extent = { roomIds: string[]; rows: number; customerIds: string[] }

/** No index begins with the number, so this reads the whole index of the org's chatrooms. */
export function readExtent({ orgId, otherId }: Merge): Statement<Extent> {
  return {
    name: 'read-number-extent',
    text: `with room as materialized (
        select id, customer_id from chatrooms where org_id = $1 and waba_phone_id = $2 limit ${MAX_ROWS + 1}),
      message as materialized (
        select customer_id from messages where org_id = $1 and chatroom_id is null and waba_phone_id = $2
        limit ${MAX_ROWS + 1}),
      attached as materialized (
        select from room cross join lateral (
          select from messages m where m.org_id = $1 and m.chatroom_id = room.id limit ${MAX_ROWS + 1}) m
        limit ${MAX_ROWS + 1})
      select array(select id from room) as "roomIds",
        ((select count(*) from room) + (select count(*) from message) + (select count(*) from attached))::int as rows,
        array(select customer_id from room union select customer_id from message where customer_id is not null)
          as "customerIds"`,
    values: [orgId, otherId],
    read: ([extent]: Extent[]) => extent ?? { roomIds: [], rows: 0, customerIds: [] },
  }
}

type Conflict = { one: string; other: string }

/** Up to three pairs of active chatrooms that one customer has at both numbers. */
export function readConflicts({ orgId, phoneId }: Merge, roomIds: string[]): Statement<Conflict[]> {
  return {
    name: 'read-number-conflicts',
    text: `select r.id as one, o.id as other
      from chatrooms o
      join chatrooms r on r.org_id = o.org_id and r.customer_id = o.customer_id and r.waba_phone_id = $2
      where o.org_id = $1 and o.id = any($3::uuid[]) and o.state = 'active' and r.state = 'active'
      order by o.id limit 3`,
    values: [orgId, phoneId, roomIds],
    read: allRows<Conflict>,
  }
}

/** Before the rows of the outbox are moved: `lockPairs` tells the order. */
export function lockPairsOfNumbers(
  { orgId, phoneId, otherId }: Merge,
  customerIds: string[],
): Statement<void> {
  return {
    name: 'lock-pairs-of-numbers',
    text: `select from outbox_pairs
      where org_id = $1 and customer_id = any($4::uuid[]) and waba_phone_id in ($2, $3)
      order by org_id, customer_id, waba_phone_id for update`,
    values: [orgId, phoneId, otherId, customerIds],
    read: nothing,
  }
}

/**
 * One statement, at the end of which the foreign keys from messages and sends to their chatrooms are checked. A pair has
 * one send under way: where both numbers have one, the other's becomes `unknown`, which still takes Meta's answer.
 */
export function moveChatrooms({ orgId, phoneId, otherId }: Merge, roomIds: string[]): Statement<Merged> {
  return {
    name: 'merge-number-chatrooms',
    text: `with room as (
        update chatrooms set waba_phone_id = $2 where org_id = $1 and id = any($4::uuid[])
        returning id, contact_id),
      mapping as (
        update contact_wabas w set waba_phone_id = $2 from room
        where w.org_id = $1 and w.contact_id = room.contact_id and w.waba_phone_id = $3),
      sent as (
        update outbox o set waba_phone_id = $2,
          state = case when o.state = 'sending' and exists (
            select from outbox s where s.org_id = $1 and s.customer_id = o.customer_id and s.waba_phone_id = $2
              and s.state = 'sending') then 'unknown' else o.state end
        from room where o.org_id = $1 and o.chatroom_id = room.id),
      message as (
        update messages m set waba_phone_id = $2 from room where m.org_id = $1 and m.chatroom_id = room.id
        returning m.wamid)
      select (select count(*)::int from room) as chatrooms, (select count(*)::int from message) as messages`,
    values: [orgId, phoneId, otherId, roomIds],
    read: ([merged]: Merged[]) => merged ?? { chatrooms: 0, messages: 0 },
  }
}

export function moveOtherMessages({ orgId, phoneId, otherId }: Merge): Statement<number> {
  return {
    name: 'merge-number-messages',
    text: `update messages set waba_phone_id = $2
      where org_id = $1 and chatroom_id is null and waba_phone_id = $3`,
    values: [orgId, phoneId, otherId],
    read: (_rows, count) => count,
  }
}

/** No index begins with the number; calls are few, one row for each customer who called. */
export function moveCalls({ orgId, phoneId, otherId }: Merge): Statement<void> {
  return {
    name: 'merge-number-calls',
    text: `with moved as (delete from last_calls where org_id = $1 and waba_phone_id = $3 returning *)
      insert into last_calls as l (org_id, customer_id, waba_phone_id, called_at)
      select org_id, customer_id, $2, called_at from moved
      on conflict (org_id, customer_id, waba_phone_id) do update
        set called_at = greatest(l.called_at, excluded.called_at)`,
    values: [orgId, phoneId, otherId],
    read: nothing,
  }
}

export function deleteNumber({ orgId, phoneId, otherId }: Merge): Statement<void> {
  return {
    name: 'merge-number-ids',
    text: `with ids as (
        update meta_objects set waba_phone_id = $2
        where kind = 'phone' and org_id = $1 and coalesce(waba_phone_id, id) = $3),
      pairs as (delete from outbox_pairs where org_id = $1 and waba_phone_id = $3)
      delete from waba_phones where org_id = $1 and id = $3`,
    values: [orgId, phoneId, otherId],
    read: nothing,
  }
}

/** The chatroom that a message of each of these customers would go to, where one has held messages. */
export function readRoomsOfHeld(
  { orgId, phoneId }: Merge,
  customerIds: string[],
): Statement<{ id: string; customerId: string }[]> {
  return {
    name: 'read-rooms-of-held',
    text: `select r.id, c.id as "customerId" from unnest($3::uuid[]) as c(id)
      cross join lateral (
        select r.id from chatrooms r where r.org_id = $1 and r.customer_id = c.id and r.waba_phone_id = $2
        order by ${PREFERRED_FIRST} limit 1) r
      where exists (
        select from messages m where m.org_id = $1 and m.customer_id = c.id and m.waba_phone_id = $2
          and m.route = 'held' and m.chatroom_id is null)`,
    values: [orgId, phoneId, customerIds],
    read: allRows<{ id: string; customerId: string }>,
  }
}
