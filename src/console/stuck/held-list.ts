import type { Db } from '../../db/client.ts'
import { columns, text } from '../../db/columns.ts'
import { allRows, over, run } from '../../db/statement.ts'

/** A message that waits for a chatroom of its customer, without its text. */
export type HeldMessage = {
  orgId: string
  wamid: string
  customerId: string | null
  sender: string | null
  number: string
  type: string
  reason: string
  receivedAt: Date
}

const PER_ORG = 50
const MAX_MESSAGES = 100

const ORGS = columns<string>({ id: text((id) => id) })

/** The latest held messages of these orgs, newest first: at most 50 of each org, 100 of all. */
export function listHeld(db: Db, orgIds: string[]): Promise<HeldMessage[]> {
  const statement = over(ORGS, orgIds, {
    name: 'console-held',
    text: `select m.org_id as "orgId", m.wamid, m.customer_id as "customerId", coalesce(m.wa_id, m.user_id) as sender,
        coalesce(p.display_phone_number, m.waba_phone_id) as number, m.type, m.reason, m.received_at as "receivedAt"
      from ${ORGS.as('o')}
      cross join lateral (
        select * from messages m where m.org_id = o.id and m.route = 'held' and m.chatroom_id is null
        order by m.sent_at desc, m.seq desc limit ${PER_ORG}) m
      left join waba_phones p on p.org_id = m.org_id and p.id = m.waba_phone_id
      order by m.received_at desc, m.seq desc limit ${MAX_MESSAGES}`,
    read: allRows<HeldMessage>,
  })
  return run(db, statement)
}
