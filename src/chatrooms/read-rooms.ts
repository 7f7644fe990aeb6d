import { columns, text, uuid } from '../db/columns.ts'
import { allRows, over, type Statement } from '../db/statement.ts'
import { type Pair, pairKey } from '../rules/keys.ts'
import { PREFERRED_FIRST } from '../rules/latest.ts'
import type { Room } from '../rules/room.ts'

/** A chatroom of a customer, with its number. */
export type CustomerRoom = Room & { phoneId: string; customerId: string }

/** Of the chatrooms of a pair, only the latest ones are read; they decide. */
const MAX_ROOMS = 50

const ROOM = `r.id, r.contact_id as "contactId", r.state, r.created_at as "createdAt",
  r.contact_created_at as "contactCreatedAt", r.activated_at as "activatedAt", r.last_inbound_at as "lastInboundAt",
  r.last_auto_reply_at as "lastAutoReplyAt",
  r.auto_replies as "autoReplies", r.auto_replies_since as "autoRepliesSince", r.deactivated_at as "deactivatedAt", r.expired_at as "expiredAt",
  r.pending_user_id as "pendingUserId"`

/** The latest chatrooms of `k` (org_id, customer_id, phone_id), as `r`. */
const ROOMS_OF_PAIR = `(
  select * from chatrooms r
  where r.org_id = k.org_id and r.customer_id = k.customer_id and r.waba_phone_id = k.phone_id
  order by ${PREFERRED_FIRST} limit ${MAX_ROOMS}) r`

const PAIRS = columns<Pair>({
  org_id: text((p) => p.orgId),
  customer_id: uuid((p) => p.customerId),
  phone_id: text((p) => p.phoneId),
})

/**
 * The chatrooms of every pair, by `pairKey`. The customers must be locked by an earlier statement: READ COMMITTED then
 * gives this statement a snapshot that includes all that the lock waited for.
 */
export function readRooms(pairs: Pair[]): Statement<Map<string, Room[]>> {
  return over(PAIRS, pairs, {
    name: 'read-rooms',
    text: `select k.place::int, ${ROOM} from ${PAIRS.as('k', { ordinality: 'place' })}
      cross join lateral ${ROOMS_OF_PAIR}`,
    read(rows: (Room & { place: number })[]) {
      const byPair = pairs.map((): Room[] => [])
      for (const row of rows) byPair[row.place - 1]?.push(row)
      return new Map(pairs.map((pair, i) => [pairKey(pair), byPair[i] ?? []]))
    },
  })
}

type Key = { orgId: string; customerId: string }
const CUSTOMERS = columns<Key>({ org_id: text((k) => k.orgId), customer_id: uuid((k) => k.customerId) })

/** The chatrooms of customers at all numbers, as `readRooms` reads those at one. */
export function readRoomsOfCustomers(orgId: string, customerIds: string[]): Statement<CustomerRoom[]> {
  const keys = customerIds.map((customerId) => ({ orgId, customerId }))
  return over(CUSTOMERS, keys, {
    name: 'read-rooms-of-customers',
    text: `select ${ROOM}, k.phone_id as "phoneId", k.customer_id as "customerId"
      from (
        select distinct c.org_id, c.customer_id, r.waba_phone_id as phone_id
        from ${CUSTOMERS.as('c')}
        join chatrooms r on r.org_id = c.org_id and r.customer_id = c.customer_id) k
      cross join lateral ${ROOMS_OF_PAIR}`,
    read: allRows<CustomerRoom>,
  })
}
