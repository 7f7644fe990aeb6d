import type { Statement } from '../db/statement.ts'
import { logStatuses } from '../event-log/status-sql.ts'
import { isOfSendSql } from '../rules/ledger-months.ts'
import { provisionalWamidSql } from '../rules/provisional-wamid.ts'
import { withoutPruning } from '../rules/without-pruning.ts'
import { CHOSEN, type Turns, turnValues } from './choose-pairs.ts'
import { FREE_AT } from './pair-rate.ts'
import { REFUSAL } from './policy.ts'
import { SEND_COLUMNS, SEND_TABLES, type Send } from './read-send.ts'

/** Much longer than the deadline of a call of the Graph API: the sender of an older claim has died. */
const LEASE = `interval '60 seconds'`

/** A message that failed in the claim, since it may not be sent any more; `number` is its `phone_number_id`. */
export type RefusedSend = { org: string; send: string; number: string; reason: string }

/** The sends that may leave now, those that failed, and how many pairs were looked at: none means that nothing is due. */
export type Claimed = { sends: Send[]; refused: RefusedSend[]; looked: number }

/**
 * SQL: `pair`, the chosen pairs that nobody else works on and that have not changed since this statement began, locked;
 * and `head`, the message of each that is next, with the time when it may leave and the reason why it may not be sent.
 * The message is null when nothing is queued, or while another one is under way, whose end makes the pair due again.
 */
const HEADS = `pair as materialized (
    select q.org_id, q.customer_id, q.waba_phone_id from chosen c
    join outbox_pairs q on q.org_id = c.org_id and q.customer_id = c.customer_id
      and q.waba_phone_id = c.waba_phone_id and q.version = c.version
    for update of q skip locked),
  head as materialized (
    select q.*, h.id, case when h.id is not null then greatest(h.due_at, ${FREE_AT}) end as free_at, ${REFUSAL} as refusal
    from pair q left join lateral (
      select b.* from outbox b
      where b.org_id = q.org_id and b.customer_id = q.customer_id and b.waba_phone_id = q.waba_phone_id
        and b.state = 'queued' and not exists (
          select from outbox s where s.org_id = q.org_id and s.customer_id = q.customer_id
            and s.waba_phone_id = q.waba_phone_id and s.state = 'sending')
      order by b.kind desc, b.position limit 1) h on true
    left join chatrooms r on r.org_id = h.org_id and r.id = h.chatroom_id
    left join contacts c on c.org_id = r.org_id and c.id = r.contact_id
    left join customers k on k.org_id = h.org_id and k.id = h.customer_id
    left join orgs o on o.id = h.org_id)`

/** SQL: the failed messages, as JSON. */
const REFUSED = `(
  select json_agg(json_build_object('org', f.org_id, 'send', f.id, 'number', p.remote_id, 'reason', f.refusal))
  from refused f join waba_phones p on p.org_id = f.org_id and p.id = f.waba_phone_id)`

/**
 * Claims the next sends, just before their requests leave. Of a pair only the oldest message that has not ended may be
 * claimed (people's messages before auto-replies), and none while another one is under way; so messages leave in order,
 * with any number of workers. From then on only Meta's answer or a status webhook ends a send. A message that may not be
 * sent any more fails. A pair that must wait, for its rate or for the next try of its message, is due at that time.
 */
export function claimSends(turns: Turns): Statement<Claimed> {
  return {
    name: 'claim-sends',
    text: `with recursive ${CHOSEN}, ${HEADS},
      claimed as (
        update outbox o set state = 'sending', attempts = o.attempts + 1, claimed_at = now(), due_at = now() + ${LEASE}
        from head h where o.org_id = h.org_id and o.id = h.id and o.state = 'queued'
          and h.refusal is null and h.free_at <= now()
        returning o.*),
      refused as (
        update outbox o set state = 'failed', error = coalesce(o.error || '; ', '') || h.refusal
        from head h where o.org_id = h.org_id and o.id = h.id and o.state = 'queued' and h.refusal is not null
        returning o.org_id, o.id, o.waba_phone_id, o.created_at, o.error, h.refusal),
      shown as (
        update messages m set status = 'failed', status_at = now(),
          errors = json_build_array(json_build_object('title', f.error))
        from refused f where m.org_id = f.org_id and m.wamid = ${provisionalWamidSql('f.id')}
          and ${isOfSendSql(withoutPruning('m.sent_at'), 'f.created_at')}
        returning m.org_id, m.customer_id, m.wamid, m.status, m.status_at, m.errors),
      logged as (${logStatuses('shown')}),
      waiting as (
        update outbox_pairs q set due_at = h.free_at, version = q.version + 1
        from head h where q.org_id = h.org_id and q.customer_id = h.customer_id and q.waba_phone_id = h.waba_phone_id
          and (h.id is null or (h.refusal is null and h.free_at > now())))
      select (select count(*)::int from pair) as looked, ${REFUSED} as refused, ${SEND_COLUMNS}
      from (select) as one left join (claimed o ${SEND_TABLES}) on true`,
    values: turnValues(turns),
    read: (rows: (Send & { id: string | null; looked: number; refused: RefusedSend[] | null })[]) => ({
      looked: rows[0]?.looked ?? 0,
      refused: rows[0]?.refused ?? [],
      sends: rows.filter(({ id }) => id !== null),
    }),
  }
}
