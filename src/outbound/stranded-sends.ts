import type { Db } from '../db/client.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import { provisionalWamidSql } from '../rules/provisional-wamid.ts'
import { IS_TOO_LATE, TOO_LATE } from '../rules/window.ts'

const PAGE = 1_000

/** Rows that are due and whose number may send: their job was lost, or waits; telling the queue twice is harmless. */
export async function readStrandedSends(db: Db): Promise<OutboxRow[]> {
  const { rows } = await db.$client.query<OutboxRow>({
    name: 'read-stranded-sends',
    text: `select o.org_id as org, o.id from outbox o
      join waba_phones p on p.org_id = o.org_id and p.id = o.waba_phone_id and p.stopped_at is null
      where o.state in ('queued', 'sending') and o.state = 'queued' and o.due_at <= now() - interval '5 seconds'
      order by o.due_at limit ${PAGE}`,
  })
  return rows
}

/** A sender died while its request was under way: nobody knows, and it is never sent again. */
export async function settleAbandonedSends(db: Db): Promise<number> {
  const { rowCount } = await db.$client.query({
    name: 'settle-abandoned-sends',
    text: `with abandoned as (
        update outbox o set state = 'unknown', error = 'the sender died while the request was under way'
        where o.state in ('queued', 'sending') and o.state = 'sending' and o.due_at <= now()
        returning o.org_id, o.id, o.error)
      update messages m set errors = json_build_array(json_build_object('title', a.error))
      from abandoned a where m.org_id = a.org_id and m.wamid = ${provisionalWamidSql('a.id')}`,
  })
  return rowCount ?? 0
}

/** What waited until the customer's window closed (its number was stopped, or Graph away) is not sent any more. */
export async function settleLateSends(db: Db): Promise<number> {
  const { rowCount } = await db.$client.query({
    name: 'settle-late-sends',
    text: `with late as (
        update outbox o set state = 'failed', error = coalesce(o.error || '; ', '') || '${TOO_LATE}'
        where o.state in ('queued', 'sending') and o.state = 'queued' and o.due_at <= now()
          and ${IS_TOO_LATE}
        returning o.org_id, o.id, o.error)
      update messages m set status = 'failed', status_at = now(),
        errors = json_build_array(json_build_object('title', late.error))
      from late where m.org_id = late.org_id and m.wamid = ${provisionalWamidSql('late.id')}`,
  })
  return rowCount ?? 0
}
