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
}

const MAX_ROOMS = 50

/** The customer's 50 latest chatrooms at all numbers, the newest first. */
export function customerRooms(db: Db, orgId: string, customerId: string): Promise<RoomView[]> {
  return run(db, {
    name: 'console-customer-rooms',
    text: `select r.id, r.contact_id as "contactId", c.crm_id as "crmId", p.remote_id as "remotePhoneId",
        p.display_phone_number as number, r.state, r.created_at as "createdAt",
        r.last_inbound_at as "lastInboundAt", r.deactivated_at as "deactivatedAt",
        r.deactivation_reason as "deactivationReason", r.expired_at as "expiredAt",
        array(select m.user_id from chatroom_members m where m.org_id = r.org_id and m.chatroom_id = r.id
          order by m.created_at, m.user_id) as "userIds"
      from chatrooms r
      join contacts c on c.org_id = r.org_id and c.id = r.contact_id
      join waba_phones p on p.org_id = r.org_id and p.id = r.waba_phone_id
      where r.org_id = $1 and r.customer_id = $2
      order by r.created_at desc, r.id desc limit ${MAX_ROOMS}`,
    values: [orgId, customerId],
    read: allRows<RoomView>,
  })
}
