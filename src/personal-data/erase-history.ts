import { nothing, run, send } from '../db/statement.ts'
import { withoutPruning } from '../rules/without-pruning.ts'
import type { RunStage } from './erasure-row.ts'
import { LOG_START, SCAN_LOG } from './export-events.ts'

const BATCH = 1_000
const SCANNED = 20_000

/** Takes everything out of the next rows of the audit but what happened, when, and who did it. */
export const eraseAudit: RunStage = async (tx, { orgId, person, place }) => {
  const [customerId, id] = place ?? []
  type Row = { customer_id: string; id: string }
  const last = await run(tx, {
    name: 'erase-audit',
    text: `with page as materialized (
        select customer_id, id from events where org_id = $1 and customer_id = any($2::uuid[])
          and (customer_id, id) > ($3::uuid, $4::uuid) order by customer_id, id limit ${BATCH}),
      gone as (
        update events e set before = null, after = null, reason = null, wamid = null
        from page p where e.org_id = $1 and e.id = p.id and e.kind <> 'customer.erased')
      select customer_id, id from page order by customer_id desc, id desc limit 1`,
    values: [orgId, person.customerIds, customerId ?? NIL, id ?? NIL],
    read: ([row]: Row[]) => row,
  })
  return last ? { place: [last.customer_id, last.id] } : {}
}

const NIL = '00000000-0000-0000-0000-000000000000'

/** Deletes the person's events in the next part of the org's event log, and what is kept of posting them. */
export const eraseEvents: RunStage = async (tx, { orgId, person, place }) => {
  const [position, seq] = place ?? [LOG_START.position, LOG_START.seq]
  type Row = { position: string | null; seq: string | null; erased: string[] }
  const [, page] = await send(tx, [
    { text: 'set local enable_sort to off', values: [], read: nothing },
    {
      name: 'erase-events',
      text: `${SCAN_LOG},
        gone as (
          delete from event_log e using scanned s
          where s.customer_id = any($5::uuid[]) and e.org_id = $1 and e.position = s.position and e.seq = s.seq
            and ${withoutPruning('e.at')} = s.at returning e.seq)
        select l.position, l.seq, array(select seq::text from gone) as erased
        from (select) one left join (
          select position::text, seq::text from scanned order by scanned.position desc, scanned.seq desc limit 1) l on true`,
      values: [orgId, position, seq, SCANNED, person.customerIds],
      read: ([row]: Row[]) => row ?? { position: null, seq: null, erased: [] },
    },
  ])
  const { erased } = page
  if (erased.length > 0)
    await send(tx, [
      {
        name: 'erase-webhook-attempts',
        text: `delete from webhook_attempts where org_id = $1 and event_id = any($2::text[])`,
        values: [orgId, erased.map((one) => `evt_${one}`)],
        read: nothing,
      },
      {
        name: 'erase-webhook-skips',
        text: `delete from webhook_skips where org_id = $1 and seq = any($2::bigint[])`,
        values: [orgId, erased],
        read: nothing,
      },
    ])
  return page.position !== null && page.seq !== null ? { place: [page.position, page.seq] } : {}
}
