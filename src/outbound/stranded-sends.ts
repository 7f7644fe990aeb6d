import { allRows, type Statement } from '../db/statement.ts'
import { logStatuses } from '../event-log/status-sql.ts'
import { isOfSendSql } from '../rules/ledger-months.ts'
import { provisionalWamidSql } from '../rules/provisional-wamid.ts'
import { isWindowOpenSql, mayBeClosedSql, WINDOW_SINCE } from '../rules/window.ts'
import { withoutPruning } from '../rules/without-pruning.ts'

const PAGE = 1_000

/** A send that ended without being sent: its org, its id, the `phone_number_id` of its number, and why. For the log. */
export type StrandedSend = { org: string; send: string; number: string; reason: string }

const COLUMNS = (ended: string) =>
  `${ended}.org_id as org, ${ended}.id as send, p.remote_id as number, ${ended}.error as reason`

/**
 * Marks sends `unknown` whose claim has ended: the sender died while the request was under way, so Meta may have the
 * message, and it is never sent again.
 */
export function markAbandonedSends(): Statement<StrandedSend[]> {
  return {
    name: 'mark-abandoned-sends',
    text: `with abandoned as (
        update outbox o set state = 'unknown', error = 'the sender died while the request was under way'
        from (
          select q.org_id, q.id from outbox q
          join outbox_pairs p on p.org_id = q.org_id and p.customer_id = q.customer_id
            and p.waba_phone_id = q.waba_phone_id
          where q.state = 'sending' and q.due_at <= now()
          order by q.due_at limit ${PAGE} for update of p skip locked) w
        where o.org_id = w.org_id and o.id = w.id and o.state = 'sending' and o.due_at <= now()
        returning o.org_id, o.id, o.waba_phone_id, o.created_at, o.error),
      shown as (
        update messages m set errors = json_build_array(json_build_object('title', a.error))
        from abandoned a where m.org_id = a.org_id and m.wamid = ${provisionalWamidSql('a.id')}
          and ${isOfSendSql(withoutPruning('m.sent_at'), 'a.created_at')}
        returning m.org_id, m.customer_id, m.wamid, 'unknown' as status, now() as status_at, m.errors),
      logged as (${logStatuses('shown')})
      select ${COLUMNS('a')} from abandoned a join waba_phones p on p.org_id = a.org_id and p.id = a.waba_phone_id`,
    values: [],
    read: allRows<StrandedSend>,
  }
}

/**
 * Marks free text `failed` that waited until the customer's window closed, because its number was stopped or the Graph
 * API could not be reached; a template has no window. The claim does the same to what it finds.
 */
export function failLateSends(): Statement<StrandedSend[]> {
  return {
    name: 'fail-late-sends',
    text: `with late as (
        update outbox o set state = 'failed', error = coalesce(o.error || '; ', '') || 'OUTSIDE_WINDOW'
        from (
          select q.org_id, q.id from outbox q
          join outbox_pairs p on p.org_id = q.org_id and p.customer_id = q.customer_id
            and p.waba_phone_id = q.waba_phone_id
          where q.state = 'queued' and q.payload ->> 'type' <> 'template' and ${mayBeClosedSql('q.created_at')}
            and not ${isWindowOpenSql(WINDOW_SINCE)}
          order by q.created_at limit ${PAGE} for update of p skip locked) w
        where o.org_id = w.org_id and o.id = w.id and o.state = 'queued'
        returning o.org_id, o.id, o.waba_phone_id, o.created_at, o.error),
      shown as (
        update messages m set status = 'failed', status_at = now(),
          errors = json_build_array(json_build_object('title', late.error))
        from late where m.org_id = late.org_id and m.wamid = ${provisionalWamidSql('late.id')}
          and ${isOfSendSql(withoutPruning('m.sent_at'), 'late.created_at')}
        returning m.org_id, m.customer_id, m.wamid, m.status, m.status_at, m.errors),
      logged as (${logStatuses('shown')})
      select ${COLUMNS('late')} from late join waba_phones p on p.org_id = late.org_id and p.id = late.waba_phone_id`,
    values: [],
    read: allRows<StrandedSend>,
  }
}
