import type { Db } from '../db/client.ts'
import { firstRow, run } from '../db/statement.ts'

/**
 * The id of the chatroom that a contact has at its mapped number: the active one, else the one created last;
 * undefined for a contact without a chatroom. After `force_deactivate` a contact has several.
 */
export async function currentChatroom(db: Db, orgId: string, contactId: string): Promise<string | undefined> {
  const row = await run(db, {
    name: 'current-chatroom',
    text: `select r.id from contact_wabas m
      join chatrooms r on r.org_id = m.org_id and r.contact_id = m.contact_id and r.waba_phone_id = m.waba_phone_id
      where m.org_id = $1 and m.contact_id = $2
      order by r.state = 'active' desc, r.created_at desc, r.id desc limit 1`,
    values: [orgId, contactId],
    read: firstRow<{ id: string }>,
  })
  return row?.id
}
