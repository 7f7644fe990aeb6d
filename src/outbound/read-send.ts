import type { OutboxRow } from '../db/schema/index.ts'
import { firstRow, type Statement } from '../db/statement.ts'
import { IS_TOO_LATE } from '../rules/window.ts'

/** All that a send needs, read before it is claimed. */
export type Send = {
  kind: 'auto_reply' | 'message'
  /** The number's present `phone_number_id`. */
  remotePhoneId: string
  wabaId: string
  accessToken: Buffer | null
  payload: Record<string, unknown>
  waId: string | null
  phone: string | null
  userId: string | null
  /** The number may not send until it is provisioned again. */
  stopped: boolean
  /** The customer's window is about to close, by the database's clock: the message is not sent any more. */
  late: boolean
}

/** The content and the addressee of an outbox row; undefined when the row is not queued. */
export function readSend({ org, id }: OutboxRow): Statement<Send | undefined> {
  return {
    name: 'read-send',
    text: `select o.kind, p.remote_id as "remotePhoneId", p.waba_id as "wabaId", w.access_token as "accessToken",
        o.payload, c.phone, p.stopped_at is not null as stopped, ${IS_TOO_LATE} as late,
        (select a.value from customer_aliases a where a.org_id = o.org_id and a.customer_id = o.customer_id
          and a.kind = 'wa_id' order by a.created_at desc limit 1) as "waId",
        (select a.value from customer_aliases a where a.org_id = o.org_id and a.customer_id = o.customer_id
          and a.kind = 'bsuid' order by a.created_at desc limit 1) as "userId"
      from outbox o
      join waba_phones p on p.org_id = o.org_id and p.id = o.waba_phone_id
      join wabas w on w.org_id = p.org_id and w.id = p.waba_id
      join chatrooms r on r.org_id = o.org_id and r.id = o.chatroom_id
      join contacts c on c.org_id = r.org_id and c.id = r.contact_id
      where o.org_id = $1 and o.id = $2 and o.state = 'queued'`,
    values: [org, id],
    read: firstRow<Send>,
  }
}
