import { v7 as uuidv7 } from 'uuid'
import { ASKED_FOR, insertEvents } from '../audit/record-events.ts'
import { type Contact, contactName } from '../contacts/present.ts'
import type { Db } from '../db/client.ts'
import { type Statement, send } from '../db/statement.ts'
import { logEvents } from '../event-log/log-events.ts'
import { attachHeldMessages } from '../messages/attach-held.ts'
import { assignUser } from './assign-user.ts'
import { type Assignee, pickUser } from './pick-assignee.ts'

type Opening = {
  org: { id: string; roomHistoryVisible: boolean }
  phoneId: string
  displayName?: string | undefined
  assignee: Assignee
  onHandover: boolean
  actor: string
  now: Date
}

/**
 * Creates an active chatroom of the contact at a number, which becomes the contact's WABA mapping; attaches the
 * messages that were held for the customer there; assigns the chatroom to its first user, who sees all of them. The
 * caller has checked that no other chatroom of the customer is active at the number; if one is, the index
 * `chatrooms_one_active` refuses.
 * @returns the id of the new chatroom
 */
export async function openChatroom(tx: Db, contact: Contact, opening: Opening): Promise<string> {
  const { org, phoneId, assignee, onHandover, actor, now } = opening
  const orgId = org.id
  const { customerId, id: contactId } = contact
  const id = uuidv7()
  const [remotePhoneId, held] = await send(tx, [
    insertRoom(contact, { ...opening, id }),
    attachHeldMessages([{ orgId, id, customerId, phoneId }]),
  ])
  const created = {
    ...{ orgId, customerId, contactId, chatroomId: id },
    kind: 'chatroom.created' as const,
    actor,
    reason: ASKED_FOR,
    after: { state: 'active', remote_phone_id: remotePhoneId, held_messages: held.length },
  }
  const room = { id, contactId, customerId, historyVisible: true, userIds: [], pendingUserId: null }
  const userId = await pickUser(tx, orgId, assignee, now)
  await send(tx, [
    insertEvents([created]),
    logEvents(held),
    ...assignUser({ orgId, room, userId, onHandover, actor, now }),
  ])
  return id
}

/** Gives Meta's id of the number. */
function insertRoom(
  contact: Contact,
  { id, org, phoneId, displayName, now }: Opening & { id: string },
): Statement<string | undefined> {
  const name = displayName || contactName(contact)
  return {
    name: 'insert-chatroom',
    text: `with mapping as (
        insert into contact_wabas (org_id, contact_id, waba_phone_id) values ($1, $3, $5)
        on conflict (org_id, contact_id) do update set waba_phone_id = excluded.waba_phone_id)
      insert into chatrooms (org_id, id, contact_id, customer_id, waba_phone_id, display_name, history_visible,
        created_at, activated_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
      returning (select p.remote_id from waba_phones p where p.org_id = $1 and p.id = $5) as "remoteId"`,
    values: [org.id, id, contact.id, contact.customerId, phoneId, name, org.roomHistoryVisible, now],
    read: ([row]: { remoteId: string }[]) => row?.remoteId,
  }
}
