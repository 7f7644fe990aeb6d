import type { Db } from '../db/client.ts'
import { firstRow, run, type Statement } from '../db/statement.ts'
import { lockRooms } from './lock-rooms.ts'
import type { CustomerRoom } from './read-rooms.ts'
import type { LifecycleOrg } from './standing-rooms.ts'

type ChatroomRow = {
  id: string
  contactId: string
  customerId: string
  phoneId: string
  state: CustomerRoom['state']
  deactivatedAt: Date | null
  deactivationReason: string | null
  historyVisible: boolean
  /** Its users, the first one first. */
  userIds: string[]
  pendingUserId: string | null
}

/** A chatroom whose customer is locked. */
export type LockedChatroom = ChatroomRow & {
  /** The other active chatrooms of the same customer at the same number: at most one. */
  rivals: CustomerRoom[]
}

/**
 * Locks the chatroom's customer until the transaction ends and gives the chatroom as it is then, overdue expiry and
 * inactivity applied; undefined when the org has no such chatroom.
 */
export async function lockChatroom(
  tx: Db,
  org: LifecycleOrg,
  id: string,
  now: Date,
): Promise<LockedChatroom | undefined> {
  const before = await run(tx, readRow(org.id, id))
  if (!before) return undefined
  const rooms = await lockRooms(tx, org, before.customerId, now)
  const row = await run(tx, readRow(org.id, id))
  const rivals = rooms.filter((r) => r.state === 'active' && r.phoneId === before.phoneId && r.id !== id)
  return row && { ...row, rivals }
}

function readRow(orgId: string, id: string): Statement<ChatroomRow | undefined> {
  return {
    name: 'read-chatroom-to-lock',
    text: `select id, contact_id as "contactId", customer_id as "customerId", waba_phone_id as "phoneId", state,
        deactivated_at as "deactivatedAt", deactivation_reason as "deactivationReason",
        history_visible as "historyVisible", pending_user_id as "pendingUserId",
        array(select m.user_id from chatroom_members m where m.org_id = r.org_id and m.chatroom_id = r.id
          order by m.created_at, m.user_id) as "userIds"
      from chatrooms r where org_id = $1 and id = $2`,
    values: [orgId, id],
    read: firstRow<ChatroomRow>,
  }
}
