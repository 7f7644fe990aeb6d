import type { Db } from '../db/client.ts'
import { firstRow, run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { EXPIRES_AT } from '../rules/lifecycle.ts'

/** All that answers show of a chatroom, spelled as the API spells it; `users` are ids, the first user first. */
export type ChatroomView = {
  chatroom_id: string
  external_ref_id: string | null
  is_deactivated: boolean
  is_expired: boolean
  /** When it expired or, by the org's current setting, will expire. */
  expiry_ts: Date | null
  deactivation_ts: Date | null
  contact_id: string
  remote_waba_id: string
  remote_phone_id: string
  display_name: string
  state: 'active' | 'deactivated' | 'expired'
  last_inbound_at: Date | null
  users: string[]
  pending_user_id: string | null
  waba_name: string
  matrix_host_name: string | null
}

/**
 * Reads a chatroom with its contact's expiry, its WABA and its users.
 * @throws ApiError CHATROOM_NOT_FOUND
 */
export async function readChatroom(db: Db, orgId: string, id: string): Promise<ChatroomView> {
  const view = await run(db, {
    name: 'read-chatroom',
    text: `select r.id as chatroom_id, r.external_ref_id, r.deactivated_at is not null as is_deactivated,
        r.expired_at is not null as is_expired,
        coalesce(r.expired_at, ${EXPIRES_AT}) as expiry_ts,
        r.deactivated_at as deactivation_ts, r.contact_id, w.id as remote_waba_id,
        p.remote_id as remote_phone_id, r.display_name, r.state, r.last_inbound_at,
        array(select m.user_id from chatroom_members m where m.org_id = r.org_id and m.chatroom_id = r.id
          order by m.created_at, m.user_id) as users,
        r.pending_user_id, w.name as waba_name, w.matrix_host_name
      from chatrooms r
      join contacts c on c.org_id = r.org_id and c.id = r.contact_id
      join orgs o on o.id = r.org_id
      join waba_phones p on p.org_id = r.org_id and p.id = r.waba_phone_id
      join wabas w on w.org_id = p.org_id and w.id = p.waba_id
      where r.org_id = $1 and r.id = $2`,
    values: [orgId, id],
    read: firstRow<ChatroomView>,
  })
  if (!view) throw new ApiError('CHATROOM_NOT_FOUND')
  return view
}
