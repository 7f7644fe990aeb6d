import { rowCount, type Statement } from '../db/statement.ts'
import { provisionalWamidSql } from '../rules/provisional-wamid.ts'
import { isWindowOpenSql, mayBeClosedSql, WINDOW_SINCE } from '../rules/window.ts'

const PAGE = 1_000

/**
 * Marks sends `unknown` whose claim has ended: the sender died while the request was under way, so Meta may have the
 * message, and it is never sent again. Gives their number.
 */
export function markAbandonedSends(): Statement<number> {
  return {
    name: 'mark-abandoned-sends',
    text: `with abandoned as (
        update outbox o set state = 'unknown', error = 'the sender died while the request was under way'
        where o.state = 'sending' and o.due_at <= now()
        returning o.org_id, o.id, o.error)
      update messages m set errors = json_build_array(json_build_object('title', a.error))
      from abandoned a where m.org_id = a.org_id and m.wamid = ${provisionalWamidSql('a.id')}`,
    values: [],
    read: rowCount,
  }
}

/**
 * Marks free text `failed` that waited until the customer's window closed, because its number was stopped or the Graph
 * API could not be reached; a template has no window. The claim does the same to what it finds. Gives their number.
 */
export function failLateSends(): Statement<number> {
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
        returning o.org_id, o.id, o.error)
      update messages m set status = 'failed', status_at = now(),
        errors = json_build_array(json_build_object('title', late.error))
      from late where m.org_id = late.org_id and m.wamid = ${provisionalWamidSql('late.id')}`,
    values: [],
    read: rowCount,
  }
}
