import type { OutboxRow } from '../db/schema/index.ts'
import { allRows, rowCount, type Statement } from '../db/statement.ts'
import { provisionalWamidSql } from '../rules/provisional-wamid.ts'
import { IS_TOO_LATE, TOO_LATE } from '../rules/window.ts'

const PAGE = 1_000

/** Queued rows that are due for 5 s and whose number may send: their job was lost or still waits. */
export function readStrandedSends(): Statement<OutboxRow[]> {
  return {
    name: 'read-stranded-sends',
    text: `select o.org_id as org, o.id from outbox o
      join waba_phones p on p.org_id = o.org_id and p.id = o.waba_phone_id and p.stopped_at is null
      where o.state = 'queued' and o.due_at <= now() - interval '5 seconds'
      order by o.due_at limit ${PAGE}`,
    values: [],
    read: allRows<OutboxRow>,
  }
}

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
 * Marks messages `failed` that waited until the customer's window closed, because their number was stopped or the Graph
 * API could not be reached. Gives their number.
 */
export function failLateSends(): Statement<number> {
  return {
    name: 'fail-late-sends',
    text: `with late as (
        update outbox o set state = 'failed', error = coalesce(o.error || '; ', '') || '${TOO_LATE}'
        where o.state = 'queued' and o.due_at <= now() and ${IS_TOO_LATE}
        returning o.org_id, o.id, o.error)
      update messages m set status = 'failed', status_at = now(),
        errors = json_build_array(json_build_object('title', late.error))
      from late where m.org_id = late.org_id and m.wamid = ${provisionalWamidSql('late.id')}`,
    values: [],
    read: rowCount,
  }
}
