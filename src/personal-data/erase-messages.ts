import type { Db } from '../db/client.ts'
import { nothing, run, type Statement, send } from '../db/statement.ts'
import { insertTombstones } from '../erased/tombstones.ts'
import { withoutPruning } from '../rules/without-pruning.ts'
import type { RunStage } from './erasure-row.ts'

const BATCH = 2_000

/** Deletes the next messages of the person, and leaves a tombstone of each. */
export const eraseMessages: RunStage = async (tx, erasure, digest) => {
  const { orgId, requestedAt, person } = erasure
  const wamids = await run(tx, deleteMessages(orgId, person.customerIds))
  const stones = wamids.map((wamid) => ({ orgId, digest: digest(wamid), erasedAt: requestedAt }))
  await forgetWamids(tx, orgId, wamids)
  await run(tx, insertTombstones(stones))
  return { messages: wamids.length, ...(wamids.length > 0 && { place: [] }) }
}

/** Chatrooms first; what is in none is found by the numbers of the org. */
function deleteMessages(orgId: string, customerIds: string[]): Statement<string[]> {
  return {
    name: 'erase-messages',
    text: `with in_rooms as materialized (
        select m.wamid, m.sent_at from chatrooms r
        cross join lateral (
          select wamid, sent_at from messages where org_id = $1 and chatroom_id = r.id limit ${BATCH}) m
        where r.org_id = $1 and r.customer_id = any($2::uuid[]) limit ${BATCH}),
      in_none as materialized (
        select wamid, sent_at from messages
        where org_id = $1 and chatroom_id is null and customer_id = any($2::uuid[])
          and waba_phone_id = any(array(select id from waba_phones where org_id = $1)) limit ${BATCH})
      delete from messages m using (select * from in_rooms union select * from in_none) p
      where m.org_id = $1 and m.wamid = p.wamid and ${withoutPruning('m.sent_at')} = p.sent_at returning m.wamid`,
    values: [orgId, customerIds],
    read: (rows: { wamid: string }[]) => rows.map(({ wamid }) => wamid),
  }
}

/** Deletes what other tables keep under these wamids. A run that stands at such a message keeps its time as its place. */
async function forgetWamids(tx: Db, orgId: string, wamids: string[]): Promise<void> {
  if (wamids.length === 0) return
  await send(tx, [
    {
      name: 'erase-early-statuses',
      text: 'delete from early_statuses where org_id = $1 and wamid = any($2::text[])',
      values: [orgId, wamids],
      read: nothing,
    },
    {
      name: 'erase-run-places',
      text: `update bulk_runs set place = json_build_array(place -> 0, '')
        where kind = 'retry' and org_id = $1 and place ->> 1 = any($2::text[])`,
      values: [orgId, wamids],
      read: nothing,
    },
  ])
}

/**
 * Deletes the messages of the outbox whose requests have ended meanwhile, with tombstones of the wamids that Meta gave them;
 * done when none is being sent any more.
 */
export const eraseSends: RunStage = async (tx, { orgId, requestedAt, person }, digest) => {
  const { customerIds } = person
  const values = [orgId, customerIds]
  const [, ended] = await send(tx, [
    {
      name: 'lock-pairs-to-erase',
      text: `select from outbox_pairs where org_id = $1 and customer_id = any($2::uuid[])
        order by org_id, customer_id, waba_phone_id for update`,
      values,
      read: nothing,
    },
    {
      name: 'erase-ended-sends',
      text: `delete from outbox where org_id = $1 and customer_id = any($2::uuid[]) and state <> 'sending'
        returning coalesce(wamid, '') as wamid`,
      values,
      read: (rows: { wamid: string }[]) => rows.map(({ wamid }) => wamid),
    },
  ])
  await run(
    tx,
    insertTombstones(ended.map((wamid) => ({ orgId, digest: digest(wamid), erasedAt: requestedAt }))),
  )
  await forgetWamids(tx, orgId, ended)
  const left = await run(tx, deleteIdlePairs(orgId, customerIds))
  return left > 0 ? { place: [], waits: true } : {}
}

/** Deletes the pairs of the person for which nothing is being sent; gives the number of those that are left. */
function deleteIdlePairs(orgId: string, customerIds: string[]): Statement<number> {
  return {
    name: 'erase-idle-pairs',
    text: `with sending as (
        select distinct waba_phone_id, customer_id from outbox where org_id = $1 and customer_id = any($2::uuid[])),
      gone as (
        delete from outbox_pairs q where org_id = $1 and customer_id = any($2::uuid[]) and not exists (
          select from sending s where s.customer_id = q.customer_id and s.waba_phone_id = q.waba_phone_id))
      select count(*)::int as left from sending`,
    values: [orgId, customerIds],
    read: ([row]: { left: number }[]) => row?.left ?? 0,
  }
}
