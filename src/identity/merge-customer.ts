import { nothing, type Statement } from '../db/statement.ts'
import { logEvents, logSql } from '../event-log/log-events.ts'
import { PREFERRED_FIRST } from '../rules/latest.ts'
import { startWaitsSql } from '../rules/waiting.ts'

/** SQL: since when a customer has the present wish about marketing; null: the customer said nothing. */
const wishedAt = (customer: string) => `coalesce(${customer}.preference_at, ${customer}.opted_out_at)`

const ATTACHED = `select org_id, 'message.attached' as type, customer_id, wamid from moved
  where chatroom_id is not null order by sent_at, seq`

/** What becomes of the rows of a customer $3 who merges into $2, in the order in which it happens. */
const MERGES = {
  'merge-customer': 'update customers set merged_into = $2 where org_id = $1 and id = $3',
  'merge-consent': `update customers c set
      marketing_paused_until = greatest(c.marketing_paused_until, f.marketing_paused_until),
      preference_at = greatest(c.preference_at, f.preference_at),
      opted_out_at = case when ${wishedAt('f')} > ${wishedAt('c')} or ${wishedAt('c')} is null
        then f.opted_out_at else c.opted_out_at end
    from customers f where c.org_id = $1 and c.id = $2 and f.org_id = $1 and f.id = $3
      and (${wishedAt('f')} is not null or f.marketing_paused_until is not null)`,
  'merge-address': `update customers c set wa_id = f.wa_id, wa_id_at = f.wa_id_at
    from customers f where c.org_id = $1 and c.id = $2 and f.org_id = $1 and f.id = $3
      and (f.wa_id_at > c.wa_id_at or c.wa_id_at is null)`,
  'merge-calls': `with moved as (delete from last_calls where org_id = $1 and customer_id = $3 returning *)
    insert into last_calls as l (org_id, customer_id, waba_phone_id, called_at)
    select org_id, $2, waba_phone_id, called_at from moved
    on conflict (org_id, customer_id, waba_phone_id) do update set called_at = greatest(l.called_at, excluded.called_at)`,
  'merge-messages': `with moved as (
      update messages m set customer_id = $2, chatroom_id = (
        select r.id from chatrooms r
        where r.org_id = $1 and r.customer_id = $2 and r.waba_phone_id = m.waba_phone_id and m.route = 'held'
        order by ${PREFERRED_FIRST}
        limit 1)
      where m.org_id = $1 and m.customer_id = $3 and m.chatroom_id is null
        and m.waba_phone_id = any(array(select id from waba_phones where org_id = $1))
      returning m.org_id, m.customer_id, m.wamid, m.chatroom_id, m.sent_at, m.seq),
    waits as (${startWaitsSql('moved')})
    ${logSql(`(${ATTACHED}) as attached`, 'org_id, type, customer_id, wamid')}`,
  'merge-customer-aliases':
    'update customer_aliases set customer_id = $2 where org_id = $1 and customer_id = $3',
  'merge-former-aliases': 'update former_aliases set customer_id = $2 where org_id = $1 and customer_id = $3',
}

/**
 * Merges a customer who has no contacts into the one who is the same person. Of two wishes about marketing, and
 * of two addresses, the later one counts; of two pauses, the longer one. Held messages go to the chatroom that a message of the customer at that number
 * would go to, or stay held where there is none. Both customers must be locked.
 */
export function mergeCustomer(
  orgId: string,
  { from, into }: { from: string; into: string },
): Statement<void>[] {
  const statements = Object.entries(MERGES).map(([name, text]) => ({
    name,
    text,
    values: [orgId, into, from],
    read: nothing,
  }))
  const merged = { type: 'customer.merged' as const, customerId: into, data: { merged_customer_id: from } }
  return [...statements, logEvents([{ orgId, ...merged }])]
}
