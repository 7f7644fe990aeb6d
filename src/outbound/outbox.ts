import type { Db } from '../db/client.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import { provisionalWamid } from '../rules/provisional-wamid.ts'
import { IS_TOO_LATE } from '../rules/window.ts'

/** All that a send needs, read before it is claimed. */
export type Send = {
  kind: 'auto_reply' | 'message'
  phoneId: string
  wabaId: string
  accessToken: Buffer | null
  payload: Record<string, unknown>
  waId: string | null
  phone: string | null
  userId: string | null
  /** The number may not send at present. */
  stopped: boolean
  /** The customer's window closes about now, by the database's clock: what is not sent yet is not sent at all. */
  late: boolean
}

/** Pair rate: 1 message in 6 s to one customer from one number, on average over a minute (facts, section 11). */
const PAIR_PER_MINUTE = 10
/** Longer than the Graph deadline by far: a claim that is older belongs to a sender that died. */
const LEASE = `interval '60 seconds'`

/** The row's content and address while it is queued; undefined when it is settled, at work or unknown. */
export async function readSend(db: Db, { org, id }: OutboxRow): Promise<Send | undefined> {
  const { rows } = await db.$client.query<Send>({
    name: 'read-send',
    text: `select o.kind, o.waba_phone_id as "phoneId", p.waba_id as "wabaId", w.access_token as "accessToken",
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
  })
  return rows[0]
}

/**
 * Takes a row for sending, at the last moment before the request leaves: from here on only an answer, or a
 * status webhook, settles it. Undefined when it is not due, the pair rate is used up, or somebody else has it.
 */
export async function claimSend(db: Db, { org, id }: OutboxRow): Promise<{ attempts: number } | undefined> {
  const { rows } = await db.$client.query<{ attempts: number }>({
    name: 'claim-send',
    text: `update outbox o set state = 'sending', attempts = o.attempts + 1, claimed_at = now(), due_at = now() + ${LEASE}
      where o.org_id = $1 and o.id = $2 and o.state = 'queued' and o.due_at <= now()
        and (select count(*) from outbox s where s.org_id = o.org_id and s.customer_id = o.customer_id
          and s.waba_phone_id = o.waba_phone_id and s.claimed_at > now() - interval '1 minute') < ${PAIR_PER_MINUTE}
      returning o.attempts`,
    values: [org, id],
  })
  return rows[0]
}

/**
 * Meta took it: the ledger's message gets its real id. A status webhook may have said so already, or the claim may have
 * ended while nobody knew.
 */
export async function settleSent(db: Db, { org, id }: OutboxRow, wamid: string): Promise<void> {
  await db.$client.query({
    name: 'settle-sent',
    text: `with sent as (
        update outbox set state = 'sent', wamid = $3, error = null
        where org_id = $1 and id = $2 and state in ('sending', 'unknown'))
      update messages set wamid = $3, errors = null where org_id = $1 and wamid = $4`,
    values: [org, id, wamid, provisionalWamid(id)],
  })
}

/** The try of this number was certainly not taken, and there may be another one after a while. */
export async function settleRetry(
  db: Db,
  { org, id }: OutboxRow,
  attempts: number,
  error: string,
  waitMs: number,
): Promise<void> {
  await db.$client.query({
    name: 'settle-retry',
    text: `update outbox set state = 'queued', error = $3, due_at = now() + $4 * interval '1 millisecond'
      where org_id = $1 and id = $2 and state = 'sending' and attempts = $5`,
    values: [org, id, error, waitMs, attempts],
  })
}

/** It failed for good, or nobody knows: readable in the chatroom's messages either way. */
export async function settleEnded(
  db: Db,
  { org, id }: OutboxRow,
  state: 'failed' | 'unknown',
  error: string,
): Promise<void> {
  await db.$client.query({
    name: 'settle-ended',
    text: `with ended as (
        update outbox set state = $3, error = $4 where org_id = $1 and id = $2 and state in ('queued', 'sending')
        returning org_id, id)
      update messages m set errors = json_build_array(json_build_object('title', $4::text)),
        status = case when $3 = 'failed' then 'failed' else m.status end, status_at = now()
      from ended where m.org_id = ended.org_id and m.wamid = $5`,
    values: [org, id, state, error, provisionalWamid(id)],
  })
}

/** No more sends from a number until it is provisioned again: its token or account is refused. */
export async function stopNumber(db: Db, org: string, phoneId: string, reason: string): Promise<void> {
  await db.$client.query({
    name: 'stop-number',
    text: `update waba_phones set stopped_at = now(), stopped_reason = $3
      where org_id = $1 and id = $2 and stopped_at is null`,
    values: [org, phoneId, reason],
  })
}
