/** All that a send needs, read in the statement that claims it. */
export type Send = {
  org: string
  id: string
  /** Number of tries, this one included. */
  attempts: number
  kind: 'auto_reply' | 'message'
  customerId: string
  createdAt: Date
  /** When this try began. */
  claimedAt: Date
  /** The number's id in Usher, `waba_phones.id`. */
  phoneId: string
  /** The number's present `phone_number_id`. */
  remotePhoneId: string
  wabaId: string
  accessToken: Buffer
  payload: Record<string, unknown>
  /** The `wa_id` that the customer uses now, else the newest one. */
  waId: string | null
  /** The contact's phone, unless the customer gave it up. */
  phone: string | null
  /** The newest BSUID that was seen at the number's WABA. */
  userId: string | null
}

/** SQL: the columns of `Send` for `o`, a row of the outbox, with the tables of `SEND_TABLES`. */
export const SEND_COLUMNS = `o.org_id as org, o.id, o.attempts, o.kind, o.customer_id as "customerId",
  o.created_at as "createdAt", o.claimed_at as "claimedAt", o.payload, p.id as "phoneId",
  p.remote_id as "remotePhoneId", p.waba_id as "wabaId", w.access_token as "accessToken",
  (select a.value from customer_aliases a where a.org_id = o.org_id and a.customer_id = o.customer_id
    and a.kind = 'wa_id' order by a.value is distinct from k.wa_id, a.created_at desc limit 1) as "waId",
  case when not exists (select from former_aliases f
    where f.org_id = o.org_id and f.customer_id = o.customer_id and f.kind in ('phone', 'wa_id')
      and f.value in (c.phone, substr(c.phone, 2))) then c.phone end as phone,
  (select a.value from customer_aliases a where a.org_id = o.org_id and a.customer_id = o.customer_id
    and a.kind = 'bsuid' and (p.waba_id = any(a.waba_ids) or a.waba_ids is null)
    order by a.waba_ids is null, a.created_at desc limit 1) as "userId"`

/** SQL: the number, WABA, customer and contact of `o`. */
export const SEND_TABLES = `join waba_phones p on p.org_id = o.org_id and p.id = o.waba_phone_id
  join wabas w on w.org_id = p.org_id and w.id = p.waba_id
  join customers k on k.org_id = o.org_id and k.id = o.customer_id
  join chatrooms r on r.org_id = o.org_id and r.id = o.chatroom_id
  join contacts c on c.org_id = r.org_id and c.id = r.contact_id`
