import { columns, text, uuid } from '../db/columns.ts'
import { over, type Statement } from '../db/statement.ts'

/** The WABA mapping of a contact, and the chatroom that it has there, as `currentChatroom` gives it. */
export type CurrentRoom = { contactId: string; mappedPhoneId: string; chatroomId: string | null }

const KEYS = columns<{ orgId: string; contactId: string }>({
  org_id: text((k) => k.orgId),
  contact_id: uuid((k) => k.contactId),
})

/** The mappings and chatrooms of these contacts of an org, by contact. */
export function readCurrentRooms(orgId: string, contactIds: string[]): Statement<Map<string, CurrentRoom>> {
  const keys = contactIds.map((contactId) => ({ orgId, contactId }))
  return over(KEYS, keys, {
    name: 'read-current-rooms',
    text: `select m.contact_id as "contactId", m.waba_phone_id as "mappedPhoneId", r.id as "chatroomId"
      from ${KEYS.as('k')}
      join contact_wabas m on m.org_id = k.org_id and m.contact_id = k.contact_id
      left join lateral (
        select r.id from chatrooms r
        where r.org_id = m.org_id and r.contact_id = m.contact_id and r.waba_phone_id = m.waba_phone_id
        order by r.state = 'active' desc, r.created_at desc, r.id desc limit 1) r on true`,
    read: (rows: CurrentRoom[]) => new Map(rows.map((row) => [row.contactId, row])),
  })
}
