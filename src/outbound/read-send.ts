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
  /** The newest `wa_id` of the customer. */
  waId: string | null
  /** The contact's phone, unless the customer gave it up. */
  phone: string | null
  /** The newest BSUID that was seen at the number's WABA. */
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
        o.payload, p.stopped_at is not null as stopped, ${IS_TOO_LATE} as late,
        (select a.value from customer_aliases a where a.org_id = o.org_id and a.customer_id = o.customer_id
          and a.kind = 'wa_id' order by a.created_at desc limit 1) as "waId",
        case when not exists (select from former_aliases f
          where f.org_id = o.org_id and f.customer_id = o.customer_id and f.kind in ('phone', 'wa_id')
            and f.value in (c.phone, substr(c.phone, 2))) then c.phone end as phone,
        (select a.value from customer_aliases a where a.org_id = o.org_id and a.customer_id = o.customer_id
          and a.kind = 'bsuid' and (p.waba_id = any(a.waba_ids) or a.waba_ids is null)
          order by a.waba_ids is null, a.created_at desc limit 1) as "userId"
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
