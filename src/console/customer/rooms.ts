import { z } from 'zod'
import type { Db } from '../../db/client.ts'
import { allRows, run } from '../../db/statement.ts'
import type { RoomState } from '../../rules/room.ts'

/** A chatroom with its contact, number and users. */
export type RoomView = {
  id: string
  contactId: string
  crmId: string
  remotePhoneId: string
  number: string
  state: RoomState
  createdAt: Date
  lastInboundAt: Date | null
  deactivatedAt: Date | null
  deactivationReason: string | null
  expiredAt: Date | null
  userIds: string[]
  /** Another chatroom of the customer is active at the number, and would have to be deactivated first. */
  hasRival: boolean
}

/** A place in the list: the creation of the last chatroom shown, in milliseconds, and its id. */
export const roomPlace = z.tuple([z.int().min(0), z.guid()])
export type RoomPlace = z.infer<typeof roomPlace>

/** A page of chatrooms, and the place of the next page. */
export type RoomPage = { rooms: RoomView[]; next: RoomPlace | undefined }

const PAGE_SIZE = 15
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** A page of the customer's chatrooms at all numbers, the newest first. */
export async function customerRooms(
  db: Db,
  { orgId, customerId, before }: { orgId: string; customerId: string; before: RoomPlace | undefined },
): Promise<RoomPage> {
  const place = before ? [new Date(before[0]), before[1]] : ['infinity', LAST_ID]
  const found = await run(db, {
    name: 'console-customer-rooms',
    text: `select r.id, r.contact_id as "contactId", c.crm_id as "crmId", p.remote_id as "remotePhoneId",
        p.display_phone_number as number, r.state, r.created_at as "createdAt",
        r.last_inbound_at as "lastInboundAt", r.deactivated_at as "deactivatedAt",
        r.deactivation_reason as "deactivationReason", r.expired_at as "expiredAt",
        array(select m.user_id from chatroom_members m where m.org_id = r.org_id and m.chatroom_id = r.id
          order by m.created_at, m.user_id) as "userIds",
        exists (select from chatrooms a where a.org_id = r.org_id and a.customer_id = r.customer_id
          and a.waba_phone_id = r.waba_phone_id and a.deactivated_at is null and a.expired_at is null
          and a.id <> r.id) as "hasRival"
      from (
        select * from chatrooms where org_id = $1 and customer_id = $2 and (created_at, id) < ($3::timestamptz, $4::uuid)
        order by created_at desc, id desc limit ${PAGE_SIZE + 1}) r
      join contacts c on c.org_id = r.org_id and c.id = r.contact_id
      join waba_phones p on p.org_id = r.org_id and p.id = r.waba_phone_id
      order by r.created_at desc, r.id desc`,
    values: [orgId, customerId, ...place],
    read: allRows<RoomView>,
  })
  const rooms = found.slice(0, PAGE_SIZE)
  const last = found.length > PAGE_SIZE ? rooms.at(-1) : undefined
  return { rooms, next: last && [last.createdAt.getTime(), last.id] }
}

/** How many chatrooms the customer has, up to 10,000. */
export function countRooms(db: Db, orgId: string, customerId: string): Promise<number> {
  return run(db, {
    name: 'console-count-customer-rooms',
    text: `select count(*)::int as rooms from (
        select from chatrooms where org_id = $1 and customer_id = $2 limit 10000) r`,
    values: [orgId, customerId],
    read: ([row]: { rooms: number }[]) => row?.rooms ?? 0,
  })
}
