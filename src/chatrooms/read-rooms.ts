import { textArray, uuidArray } from '../db/arrays.ts'
import type { Db } from '../db/client.ts'
import { PREFERRED_FIRST } from '../rules/latest.ts'
import type { Room } from '../rules/room.ts'

/** A customer at a number of an org: what chatrooms compete for. */
export type Pair = { orgId: string; customerId: string; phoneId: string }

/** More chatrooms than this of one customer at one number are not looked at: the latest ones decide. */
const MAX_ROOMS = 50

/**
 * The chatrooms of every pair, in the order of the pairs. The customers must be locked already, in an earlier
 * statement: READ COMMITTED gives this one a snapshot that includes all that the lock waited for.
 */
export async function readRooms(tx: Db, pairs: Pair[]): Promise<Room[][]> {
  const { rows } = await tx.$client.query<RoomRow>({
    name: 'read-rooms',
    text: `select k.place::int, r.id, r.contact_id, r.state, r.created_at, r.contact_created_at,
        r.activated_at, r.last_inbound_at, r.last_auto_reply_at, r.deactivated_at, r.expired_at, r.pending_user_id
      from unnest($1::text[], $2::uuid[], $3::text[]) with ordinality as k(org_id, customer_id, phone_id, place)
      cross join lateral (
        select * from chatrooms r
        where r.org_id = k.org_id and r.customer_id = k.customer_id and r.waba_phone_id = k.phone_id
        order by ${PREFERRED_FIRST}
        limit ${MAX_ROOMS}) r`,
    values: [
      textArray(pairs.map((p) => p.orgId)),
      uuidArray(pairs.map((p) => p.customerId)),
      textArray(pairs.map((p) => p.phoneId)),
    ],
  })
  const byPair: Room[][] = pairs.map(() => [])
  for (const row of rows) byPair[row.place - 1]?.push(toRoom(row))
  return byPair
}

type RoomRow = {
  place: number
  id: string
  contact_id: string
  state: Room['state']
  created_at: Date
  contact_created_at: Date
  activated_at: Date
  last_inbound_at: Date | null
  last_auto_reply_at: Date | null
  deactivated_at: Date | null
  expired_at: Date | null
  pending_user_id: string | null
}

function toRoom(row: RoomRow): Room {
  return {
    id: row.id,
    contactId: row.contact_id,
    state: row.state,
    createdAt: row.created_at,
    contactCreatedAt: row.contact_created_at,
    activatedAt: row.activated_at,
    lastInboundAt: row.last_inbound_at,
    lastAutoReplyAt: row.last_auto_reply_at,
    deactivatedAt: row.deactivated_at,
    expiredAt: row.expired_at,
    pendingUserId: row.pending_user_id,
  }
}
